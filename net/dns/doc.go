// Package dns is the resolver that answers inside every instance, on UDP and
// TCP.
//
// It answers the few names it is given by itself and forwards every other
// query, as it is, to the host's resolvers, from the daemon's own network
// namespace; so an instance resolves what the host resolves, also where the
// host's resolver is a stub on loopback. It caches nothing and rewrites nothing
// but the query's identifier.
//
// One Server serves the sockets of all instances. It needs no privilege, does
// not open the sockets it serves, and does not log.
package dns
