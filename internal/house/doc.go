// Package house holds the rules of the house as tests: who may import whom,
// which package alone may touch a dangerous dependency, how imports are named,
// what is documented, and a few constructs that are not used here.
//
// There is nothing in it but tests. They read the source, run nothing, need no
// privilege and take milliseconds. To change a rule, change its table.
package house
