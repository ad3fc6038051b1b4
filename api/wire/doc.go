// Package wire is the listening side of the API: it takes connections, finds
// out who calls, and hands calls on. HTTP/1.1, HTTP/2 in the clear and TLS come
// in by one port; gRPC is told by its content type, and everything else is
// HTTP with JSON.
//
// What holds for every caller holds here: the token, refusals of browsers,
// bounds of headers and bodies, timeouts, and that a panic ends one call and
// not the daemon. What a call means is the business of others. It listens to
// sockets it is given, and needs no privilege.
package wire
