// Package probe asks a container whether it is well: by a TCP connection, an
// HTTP request, or a call of grpc.health.v1. It knows addresses and no
// containers, decides nothing from what it finds, and needs no privilege.
package probe
