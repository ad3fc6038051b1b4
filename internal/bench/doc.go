// Package main measures Runnel beside runc, Podman and Docker: the same work on
// the same host, taking turns, medians of several rounds, as Markdown. Of the
// daemon it measures what nobody else has: how fast a submit is durable, how
// fast it answers, what it costs a task, and what it takes to start again. Of
// services it measures a start from zero beside "docker run" and beside the bare
// program, and the way of a request beside nginx, haproxy and the standard
// library's proxy in front of the same instance.
//
// It moves into mount and network namespaces of its own first, so that the
// bridges and packet filter rules of the peers are gone when it ends, and keeps
// everything they store under one directory, which it removes. It needs root,
// the programs of "make build build-bench" and the peers of "make bench-setup"; a
// peer that is not installed is left out and named. The host should have nothing
// else to do meanwhile.
package main
