package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
)

// ErrToken says that a token cannot be verified: it is none, not signed by a
// known key, has expired, or is not for this audience.
var ErrToken = errors.New("token cannot be verified")

// Config says what a Server works with.
type Config struct {
	// Verify tells whose identity token one is, by the email address, if it is
	// good for one of the audiences; ErrToken if not.
	Verify func(token string, audiences []string) (email string, err error)
	// Record is told of each request when it is over, by the goroutine that
	// served it; it must not block for long. Nil: nobody wants to know.
	Record func(*Entry)
	// MaxConnections bounds the connections of all clients together; a default
	// if 0.
	MaxConnections int
	// Logger gets what goes wrong; nil discards it.
	Logger *slog.Logger
}

// Server takes requests. Safe for concurrent use.
type Server struct{}

// New makes a server without routes, which listens nowhere.
func New(Config) *Server { panic("not built yet") }

// Set puts the route of a service in force, in place of the one of that name.
// Requests under way go on.
func (s *Server) Set(*Route) { panic("not built yet") }

// Remove has the hosts of a service answered as unknown.
func (s *Server) Remove(name string) { panic("not built yet") }

// ListenerConfig says what comes in by a listener.
type ListenerConfig struct {
	// TLS ends TLS; nil for none.
	TLS *tls.Config
	// Internal reports whether a connection, by the address it came in at, may
	// ask for internal services. Nil: none may.
	Internal func(local net.Addr) bool
}

// Serve takes connections until Shutdown, or until the listener fails. It takes
// l over.
func (s *Server) Serve(l net.Listener, c ListenerConfig) error { panic("not built yet") }

// Shutdown takes no more connections, and returns when every request has been
// answered, or cuts off those that are left when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error { panic("not built yet") }

// Knows reports whether a host is one of a route's, so that a certificate may be
// had for it.
func (s *Server) Knows(host string) bool { panic("not built yet") }
