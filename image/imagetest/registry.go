package imagetest

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Intercept sees every request before the registry does and may answer in its
// place.
type Intercept func(w http.ResponseWriter, r *http.Request, registry http.Handler)

// Server is a registry on the loopback interface, speaking plain HTTP.
type Server struct {
	// Host is its "127.0.0.1:port".
	Host string

	http   *http.Server
	served chan error

	mu        sync.Mutex
	intercept Intercept      // guarded by mu
	requests  map[string]int // guarded by mu
}

// NewServer starts a registry that keeps blobs in dir, or in memory if dir is
// empty. The caller must Close it.
func NewServer(dir string) (*Server, error) {
	blobs := registry.NewInMemoryBlobHandler()
	if dir != "" {
		blobs = registry.NewDiskBlobHandler(dir)
	}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithBlobHandler(blobs))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Host: listener.Addr().String(), served: make(chan error, 1), requests: map[string]int{}}
	s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests[r.Method+" "+r.URL.Path]++
		intercept := s.intercept
		s.mu.Unlock()
		if intercept == nil {
			handler.ServeHTTP(w, r)
			return
		}
		intercept(w, r, handler)
	}), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// Intercept puts f before the registry; nil takes it away.
func (s *Server) Intercept(f Intercept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
}

// Requests is how often the registry was asked, by "METHOD path".
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.requests))
	for k, v := range s.requests {
		out[k] = v
	}
	return out
}

// Close ends the registry and what it is answering.
func (s *Server) Close() error {
	err := s.http.Close()
	if serr := <-s.served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}
