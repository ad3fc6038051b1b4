package ingress

import "net/netip"

// Backend is one instance that takes requests.
type Backend struct {
	// ID is the instance's; unique in its pool. PublicID is what its metadata
	// server and its logs call it.
	ID, PublicID string
	// Addr is where its ingress container listens.
	Addr netip.AddrPort
	// H2C says that it speaks HTTP/2 without TLS, and HTTP/1.1 if not.
	H2C bool
	// Concurrency is how many requests it takes at a time: at least 1.
	Concurrency int
	// Busy is called before the first byte of a request is forwarded to an
	// instance that has none, and returns when the instance can work on it; Idle
	// when it has had none for a moment. The two are never called at the same
	// time, and alternate, beginning with Busy. One that drains or is removed is
	// not told that it is idle. Nil: nobody wants to know.
	Busy, Idle func()
}
