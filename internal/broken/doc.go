// Command broken shows that the tests of attacks and of misbehaving registries
// can fail. For each row it builds the programs without the one thing that
// integration/contract/broken/ROW.txt takes out, runs the tests that guard it, and
// expects every one of them to fail. Before that all of them have to pass on the
// build as it is.
//
//	go run ./internal/broken              # every row; takes a while, needs root
//	go run ./internal/broken ATK-1 REG-3  # some
//
// It works in a copy of the checkout and changes nothing in it. Its own tests
// look that each row has such a file and that what it takes out is still there.
package main
