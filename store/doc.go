// Package store keeps records on disk: named ones of several kinds, listed
// newest first, and numbered rows in series. It does not know what they are
// for, and their values are bytes to it.
//
// What is asked for at the same time becomes durable together, with one
// commit: Update waits for it, Append does not and hands out a Ticket. Changes
// take effect in the order in which they were queued.
//
// All of it is one bbolt file, which one process has open at a time. Killing
// that process at any instruction, or the machine, loses nothing that was
// durable and leaves nothing half done. What a failing disk or another program
// has done to the file is found by Open, which goes back to the newest state
// that is whole; no damage makes it crash.
//
// While the disk refuses to write, Update fails with ErrDisk, appended changes
// wait and are tried again, and Health says why. Reading goes on.
//
// The package logs nothing and needs no privilege but to its file.
package store
