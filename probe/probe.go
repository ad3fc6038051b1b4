package probe

import (
	"context"
	"net/netip"
	"time"
)

// Kind is how a container is asked.
type Kind int

// The kinds.
const (
	// TCP opens a connection and closes it.
	TCP Kind = iota
	// HTTP sends a GET request, which 200 to 399 answer well.
	HTTP
	// GRPC calls grpc.health.v1.Health.Check, which SERVING answers well.
	GRPC
)

// String is the kind as Cloud Run's logs write it: TCP, HTTP, GRPC.
func (k Kind) String() string { return [...]string{"TCP", "HTTP", "GRPC"}[k] }

// Check is what a container is asked.
type Check struct {
	Kind Kind
	Port int
	// Path and Headers are those of the HTTP request; the path is / if empty.
	Path    string
	Headers []Header
	// Service is the service that the gRPC call asks for.
	Service string
	// Timeout bounds one attempt; a second if 0.
	Timeout time.Duration
}

// Header is one header of an HTTP probe.
type Header struct{ Name, Value string }

// Do asks once. The error says what was wrong with the answer, nil if nothing.
func (c Check) Do(ctx context.Context, addr netip.Addr) error { panic("not built yet") }
