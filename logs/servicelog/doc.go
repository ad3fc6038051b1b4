// Package servicelog keeps on disk what there is to say about services: each
// request that was made of them, and what has become of their instances. A
// service has two logs, in the form of package logfile, so that many requests
// do not drive out the rest. A worker pool, which gets no requests, has the other
// one. The package needs to write files in the launcher's
// log directory, and nothing else.
//
// Whoever has something to say never waits for the disk: it is put into a
// buffer, which a loop empties many times a second. What does not fit is dropped
// and counted, and the log says so. What was in the buffer when the process was
// killed is lost.
package servicelog
