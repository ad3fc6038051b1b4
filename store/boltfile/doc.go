// Package boltfile reads the file of a bbolt database without bbolt, to find
// out whether bbolt may be let near it.
//
// bbolt maps its file into memory and follows what it finds there. It takes a
// page that was torn, zeroed or cut off for what the page should have been,
// and the process dies of a panic or of SIGBUS. This package reads the same
// pages through read(2), believes nothing, and says what is wrong instead.
//
// A bbolt file is an array of pages. Each of the first two holds a meta page:
// the root of a tree of all that was committed, and the number of the
// transaction that did. A commit writes new pages beside the old ones, syncs,
// and overwrites the older of the two meta pages, so at any moment the file
// has at least one state that is whole, and mostly two.
//
// The package never writes anything but a meta page, in Revert, and needs no
// privilege.
package boltfile
