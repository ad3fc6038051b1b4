// Package api holds what every door to the control plane shares: the rules
// that a resource must keep, its defaults, and how a breach is told.
//
// Resources are Google's own messages (runpb, Admin API v2), and paths in
// errors are those of their JSON form; the doors that speak another dialect
// translate at the edge. The package does no I/O, never logs, and needs no
// privilege.
package api
