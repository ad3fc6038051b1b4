package server

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"runnel/cgroups"
	"runnel/runtime/shim"
)

// Config says where a shim lives.
type Config struct {
	// Dir is the shim's directory; the journal of exits is kept in it.
	Dir string
	// Listener accepts the daemon. The server closes it.
	Listener *net.UnixListener
	// Log takes what goes wrong where nobody can be answered.
	Log *slog.Logger
}

// Server is a shim.
type Server struct {
	listener *net.UnixListener
	log      *slog.Logger
	host     *cgroups.Host
	journal  *journal
	launcher *launcher
	filters  filters
	held     holdings
	// scratch and state are directories on the private tmpfs: the roots of
	// the containers and the volumes of instances, and what libcontainer
	// remembers of containers.
	scratch, state string

	// overlays says that the kernel has made one; until then firstOverlay is held
	// while one is made.
	overlays     atomic.Bool
	firstOverlay sync.Mutex

	// serving counts the goroutines that Run waits for.
	serving sync.WaitGroup

	// mu guards what follows.
	mu        sync.Mutex
	instances map[string]*instance
	creating  map[string]fate
	// taken holds the IDs of all instances and of all their containers.
	taken map[string]bool
	// conns holds, for each connection, what is closed when its last call has
	// been answered.
	conns map[*shim.Conn]chan struct{}
	// latest is the latest to connect, and daemon the same once it has been
	// greeted: who hears of exits.
	latest, daemon *shim.Conn
	stopping       bool

	// beforeStep is called before each step of a creation, from several
	// goroutines, and fails it: how tests make every step fail in turn. Nil
	// otherwise.
	beforeStep func(step string) error
}

// New prepares a shim: its private mounts and its journal.
func New(cfg Config) (*Server, error) {
	host, err := cgroups.Detect()
	if err != nil {
		return nil, err
	}
	private, err := mountPrivate(filepath.Join(cfg.Dir, "private"))
	if err != nil {
		return nil, err
	}
	s := &Server{
		listener:  cfg.Listener,
		log:       cfg.Log,
		host:      host,
		scratch:   filepath.Join(private, "containers"),
		state:     filepath.Join(private, "libcontainer"),
		instances: map[string]*instance{},
		creating:  map[string]fate{},
		taken:     map[string]bool{},
		conns:     map[*shim.Conn]chan struct{}{},
	}
	for _, d := range []string{s.scratch, s.state} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
	}
	if s.launcher, err = newLauncher(); err != nil {
		return nil, err
	}
	s.journal, err = openJournal(filepath.Join(cfg.Dir, "exits"))
	return s, err
}

// Run serves until Stop has been called and every instance is gone, or until the
// daemon ends a shim that keeps none.
func (s *Server) Run() error {
	err := s.accept()
	s.serving.Wait()
	s.held.close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.filters.close(), s.journal.close())
}

// acceptPause is how long no connection is taken after the process has had no
// room for one.
const acceptPause = 100 * time.Millisecond

// accept takes connections until the listener is closed.
func (s *Server) accept() error {
	for {
		c, err := s.listener.AcceptUnix()
		switch {
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			<-time.After(acceptPause)
		case err != nil:
			return err
		default:
			s.serving.Go(func() { s.serve(shim.NewConn(c)) })
		}
	}
}

// Stop kills and deletes every instance, takes no more calls and makes Run
// return.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopping = true
	ids := slices.Collect(maps.Keys(s.instances))
	s.mu.Unlock()

	var deleting sync.WaitGroup
	for _, id := range ids {
		deleting.Go(func() {
			if err := s.delete(id); err != nil {
				s.log.Error("delete at stop", "instance", id, "err", err)
			}
		})
	}
	deleting.Wait()
	s.leave()
}

// leave takes no more connections and ends those that there are.
func (s *Server) leave() {
	_ = s.listener.Close() // Run reports what matters
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // as above
	}
}

// end begins the end of a shim that keeps no instance.
func (s *Server) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.instances) + len(s.creating); n > 0 {
		return fmt.Errorf("%w: %d", shim.ErrBusy, n)
	}
	s.stopping = true
	return nil
}
