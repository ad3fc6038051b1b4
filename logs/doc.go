// Package logs turns what instances have printed, line by line in files, and
// what package servicelog has written of services and worker pools, into entries of Cloud Logging,
// and serves them over HTTP: as a stream of its own, and as the list of the Cloud
// Logging API that gcloud reads. It also bounds what all logs together take on
// disk. It needs to read the launcher's log
// directory, and to remove files there, and nothing else.
//
// The logs of many instances become one sequence by a merge that opens a log
// when its time has come, keeps no file open between two reads, and holds a
// small chunk of each log that is being read. Nothing is held for a reader that
// is slow. What there is to say about an instance, such as how it ended, is in
// no file: it is made from the record of its task when it is asked for, for the
// last attempt of a task alone, as the record tells of no other.
package logs
