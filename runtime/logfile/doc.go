// Package logfile writes and parses the log file of one instance: what its
// processes print, bounded on disk, one entry a line.
//
// An entry reads
//
//	2026-11-21T18:00:00.123456789Z stdout F text
//
// which is the form container runtimes write for the kubelet, so that existing
// tools read it: time in UTC to the nanosecond, stream, F for a whole line or
// the end of one and P for a part that the next entry of the same stream goes
// on with, then the bytes as they were printed, the newline left out.
//
// A file that reaches its limit becomes PATH.1, replacing the one before, so
// an instance never owns more than two. Every file after the first begins with
// an entry of the stream "mark" whose text is the number of bytes in all files
// before it: a reader that falls behind knows exactly what it missed.
//
// The package imports nothing but the standard library, because the keeper of
// the containers links it. It needs no privilege but to write the file.
package logfile
