package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
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
	// Path and Headers are those of the HTTP request; the path is / if empty,
	// and may have a query.
	Path    string
	Headers []Header
	// Service is the service that the gRPC call asks for.
	Service string
	// Timeout bounds one attempt; a second if 0.
	Timeout time.Duration
}

// Header is one header of an HTTP probe.
type Header struct{ Name, Value string }

// defaultTimeout is that of a Check.
// Source: run.v2 protos, Probe.timeout_seconds.
const defaultTimeout = time.Second

// userAgent is what a probe calls itself, as Google's health checks do.
const userAgent = "GoogleHC/1.0"

// Do asks once. The error says what was wrong with the answer, nil if nothing.
func (c Check) Do(ctx context.Context, addr netip.Addr) error {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, timeoutError(timeout))
	defer cancel()
	to := netip.AddrPortFrom(addr, uint16(c.Port)) //nolint:gosec // validated where it is configured
	var err error
	switch c.Kind {
	case HTTP:
		err = c.http(ctx, to)
	case GRPC:
		err = c.grpc(ctx, to)
	default:
		err = tcp(ctx, to)
	}
	return because(ctx, err)
}

// because is why ctx ended, where an error comes of that.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		<-ctx.Done() // a connection's deadline may come a moment before that
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// timeoutError says that no answer came in time.
type timeoutError time.Duration

// Error says how long was waited.
func (e timeoutError) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(e)) }

// Timeout is true, as net.Error has it.
func (timeoutError) Timeout() bool { return true }

// tcp connects.
func tcp(ctx context.Context, to netip.AddrPort) error {
	conn, err := dial(ctx, to)
	if err != nil {
		return err
	}
	return conn.Close()
}

// dial connects. The error says why not in words for people, or is
// context.DeadlineExceeded if ctx's deadline has come.
func dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", to.String())
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("connection refused: nothing listens on port %d of %v", to.Port(), to.Addr())
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return nil, context.DeadlineExceeded
	}
	return nil, fmt.Errorf("no connection to port %d: %w", to.Port(), reason(err))
}

// reason is what is at the bottom of an error of the network.
func reason(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
