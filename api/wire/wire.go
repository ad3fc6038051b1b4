package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"runnel/control"
)

// Config says what a Server serves, and to whom.
type Config struct {
	// Control answers the Admin API v2.
	Control *control.Control
	// Token is what a caller over TCP must bring: "Authorization: Bearer TOKEN".
	// Empty: none is asked for, and requests are only taken for this machine's
	// own names and for Hosts.
	Token string
	// TLS, if not nil, is offered on every TCP listener. Callers of this
	// machine may leave it, on the same port; others may not.
	TLS *tls.Config
	// Caller is who a caller over TCP is, as creator of what it makes. Empty:
	// "api". Over a unix socket it is the name of the peer's user.
	Caller string
	// Hosts are names, without a port, that this server goes by, besides those
	// of the loopback interface: "build1.example.com". A region may stand
	// before a name ("us-central1-build1.example.com").
	Hosts []string
	// V1 answers /apis/ and what is left of /v1/. It may be nil.
	V1 http.Handler
	// Handlers answer what else is served, by patterns of http.ServeMux. They
	// may stream for as long as they like; Shutdown cancels their contexts at
	// once.
	Handlers map[string]http.Handler
	// Open are paths that need no token, beside /healthz.
	Open []string
	// Streamed are the paths of Handlers that bound the bodies of their requests
	// themselves. Such a body may take as long as something of it keeps coming.
	// Shutdown ends it.
	Streamed []string
	// Logger is told of panics and internal errors, and of each request at
	// level Debug. It may be nil. Neither tokens nor queries are logged.
	Logger *slog.Logger
}

// Server takes connections and hands their calls on. All methods may be called
// at the same time.
type Server struct {
	config Config
	http   *http.Server
	grpc   *grpc.Server
	calls  calls
	times  times
	// closing is done from the beginning of Shutdown on, ended when calls are
	// to end that have not.
	closing, ended context.Context
	close, end     context.CancelFunc
	// serving are the Serves that have not returned.
	serving sync.WaitGroup
}

// New returns a server that listens to nobody yet.
func New(config Config) *Server { return newServer(config, patient()) }

// newServer is New with the times that callers have.
func newServer(config Config, t times) *Server {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Caller == "" {
		config.Caller = "api"
	}
	s := &Server{config: config, calls: calls{max: maxCalls, own: ownCalls}, times: t}
	s.closing, s.close = context.WithCancel(context.Background())
	s.ended, s.end = context.WithCancel(context.Background())
	s.grpc = s.newGRPC()
	s.http = s.newHTTP(s.handler())
	return s
}

// Serve answers connections of ln until Shutdown or Close, and then returns
// nil. It closes ln. Peers of a unix socket are trusted. It may be called for
// several listeners at once. It refuses with ErrOpen to let everybody in.
func (s *Server) Serve(ln net.Listener) error {
	if !isUnix(ln.Addr()) && !isLoopback(ln.Addr()) && s.config.Token == "" {
		return errors.Join(fmt.Errorf("serve %s: %w", ln.Addr(), ErrOpen), ln.Close())
	}
	s.serving.Add(1)
	defer s.serving.Done()
	bounded := newBounded(ln, maxConnections)
	if isUnix(ln.Addr()) || s.config.TLS == nil {
		return untilClosed(s.http.Serve(bounded))
	}
	both := newSplit(bounded, s.times.header)
	var g errgroup.Group
	g.Go(func() error { both.run(); return nil })
	g.Go(func() error { return untilClosed(s.http.Serve(both.plain)) })
	g.Go(func() error { return untilClosed(s.http.ServeTLS(both.secure, "", "")) })
	return g.Wait()
}

// untilClosed is the error of a server, nil if it was told to end.
func untilClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops taking connections, waits for the calls in progress until ctx
// is done, and ends those that are left, and all goroutines. Calls that only
// wait for something are ended at once. It returns the error of ctx if that
// ended a call, and ErrStuck if some call does not end even so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close()
	err := s.http.Shutdown(ctx)
	return errors.Join(err, s.Close())
}

// Close ends everything at once. It returns ErrStuck if some call does not end.
func (s *Server) Close() error {
	s.close()
	s.end()
	err := s.http.Close()
	s.serving.Wait()
	if !s.calls.wait(s.times.end) {
		return errors.Join(err, ErrStuck)
	}
	s.grpc.Stop()
	return err
}
