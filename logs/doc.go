// Package logs turns what instances have printed, line by line in files, into
// entries of Cloud Logging, and serves them over HTTP. It needs to read the
// launcher's log directory, and nothing else.
package logs
