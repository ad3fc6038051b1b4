// Package contract states what Cloud Run promises, as constants and pure
// functions: defaults, limits, the environment of an instance, what an exit
// means, how things are named.
//
// Every number carries its Source, the public document it comes from. The
// package imports nothing of Runnel's, does no I/O and needs no privilege, so
// every other room may read it.
package contract
