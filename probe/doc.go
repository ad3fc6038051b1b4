// Package probe asks a container whether it is well: by a TCP connection, an
// HTTP request, or a call of grpc.health.v1. It also waits until a port listens.
// It knows addresses and no containers, decides nothing from what it finds, and
// needs no privilege. Every question has a connection of its own, and nothing is
// left of it.
package probe
