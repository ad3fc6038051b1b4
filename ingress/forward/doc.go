// Package forward carries one request to one instance and its answer back.
//
// A Hop is the way to one instance, which speaks HTTP/1.1 or, without TLS,
// HTTP/2. It frames every request anew, whatever framing the client has used,
// so that the instance sees one request where the client has sent one; it
// believes an answer only if there is one way to read it; and it streams both
// bodies, in both directions at a time where the protocols allow.
//
// It decides nothing: who may call, which instance has room, and what a client
// is told of a failure are its caller's matters. It needs no privilege.
package forward
