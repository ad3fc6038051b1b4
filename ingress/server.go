package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// ErrToken says that a token cannot be verified: it is none, not signed by a
// known key, has expired, or is not for this audience.
var ErrToken = errors.New("token cannot be verified")

// Config says what a Server works with.
type Config struct {
	// Verify tells whose identity token one is, by the email address, if it is
	// good for one of the audiences; ErrToken if not.
	Verify func(token string, audiences []string) (email string, err error)
	// Record is told of each request for a service when it is over, by the
	// goroutine that served it; it must not block for long. Nil: nobody wants to
	// know.
	Record func(*Entry)
	// MaxConnections bounds the connections of all clients together; a default
	// if 0.
	MaxConnections int
	// Logger gets what goes wrong; nil discards it.
	Logger *slog.Logger
}

// Server takes requests. Safe for concurrent use.
type Server struct {
	config Config
	log    *slog.Logger
	table  atomic.Pointer[table]
	// base is what every request's context comes from; stop ends it.
	base context.Context
	stop context.CancelCauseFunc
	// connections holds one element for each that is open.
	connections chan struct{}
	requests    inflight

	// mu guards what follows, and that only one changes the table at a time.
	mu     sync.Mutex
	closed bool
	fronts []*http.Server
}

// New makes a server without routes, which listens nowhere.
func New(c Config) *Server {
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultConnections
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, log: c.Logger, connections: make(chan struct{}, c.MaxConnections)}
	s.base, s.stop = context.WithCancelCause(context.Background())
	s.table.Store(newTable(nil))
	return s
}

// Set puts the route of a service in force, in place of the one of that name.
// Requests under way go on. The caller must not change it any more.
func (s *Server) Set(r *Route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.Store(s.table.Load().with(r))
}

// Remove has the hosts of a service answered as unknown.
func (s *Server) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.Store(s.table.Load().without(name))
}

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
func (s *Server) Serve(l net.Listener, c ListenerConfig) error {
	front := s.front(c)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.fronts = append(s.fronts, front)
	s.mu.Unlock()
	l = &bounded{Listener: l, open: s.connections, done: make(chan struct{})}
	var err error
	if c.TLS != nil {
		err = front.ServeTLS(l, "", "")
	} else {
		err = front.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown takes no more connections, and returns when every request has been
// answered, or cuts off those that are left when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	fronts := s.fronts
	s.mu.Unlock()
	var all sync.WaitGroup
	for _, front := range fronts {
		// What it says is only that ctx has ended.
		all.Go(func() { _ = front.Shutdown(ctx) })
	}
	all.Wait()
	// Connections that were taken over, as for WebSockets, are left.
	none := s.requests.none()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
	}
	s.stop(errShutdown)
	for _, front := range fronts {
		_ = front.Close() // there is nobody to tell
	}
	<-none
	return ctx.Err()
}

// Knows reports whether a host leads to a service, by its name or by a wildcard.
func (s *Server) Knows(host string) bool { return s.table.Load().find(host) != nil }

// Names reports whether a host is the name of a service or of a tag itself: of
// those there are few, while anybody can make up names below a wildcard.
func (s *Server) Names(host string) bool { return s.table.Load().exact[host] != nil }
