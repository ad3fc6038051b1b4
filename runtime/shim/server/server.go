package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
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
	// scratch and state are directories on the private tmpfs: the roots of
	// the containers, and what libcontainer remembers of them.
	scratch, state string

	// serving counts the goroutines that Run waits for.
	serving sync.WaitGroup

	// mu guards what follows.
	mu         sync.Mutex
	containers map[string]*container
	creating   map[string]fate
	conns      map[*shim.Conn]bool
	daemon     *shim.Conn // who hears of exits: the latest to connect
	stopping   bool

	// beforeStep is called before each step of a creation, and fails it: how
	// tests make every step fail in turn. Nil otherwise.
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
		listener:   cfg.Listener,
		log:        cfg.Log,
		host:       host,
		scratch:    filepath.Join(private, "containers"),
		state:      filepath.Join(private, "libcontainer"),
		containers: map[string]*container{},
		creating:   map[string]fate{},
		conns:      map[*shim.Conn]bool{},
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

// Run serves until Stop has been called and every container is gone.
func (s *Server) Run() error {
	err := s.accept()
	s.serving.Wait()
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

// Stop kills and deletes every container, takes no more calls and makes Run
// return.
func (s *Server) Stop() {
	s.mu.Lock()
	s.stopping = true
	ids := make([]string, 0, len(s.containers))
	for id := range s.containers {
		ids = append(ids, id)
	}
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
	_ = s.listener.Close() // Run reports what matters
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // as above
	}
}

// fate is what is to become of a container that is being created.
type fate int

const (
	kept   fate = iota + 1
	doomed      // deleted before its creation was over
)

// claim takes the ID for a container about to be created.
func (s *Server) claim(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return shim.ErrGone
	}
	if s.containers[id] != nil || s.creating[id] != 0 {
		return fmt.Errorf("%w: %s", shim.ErrExists, id)
	}
	s.creating[id] = kept
	return nil
}

// settle ends the creation of id; c is nil if it failed. It returns whether the
// container is to be deleted at once.
func (s *Server) settle(id string, c *container) (unwanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unwanted = s.stopping || s.creating[id] == doomed
	delete(s.creating, id)
	if c != nil {
		s.containers[id] = c
	}
	return unwanted
}

// add runs create and keeps the container, unless its ID is taken.
func (s *Server) add(r *shim.CreateRequest, netns *os.File) error {
	if err := s.claim(r.ID); err != nil {
		if netns != nil {
			_ = netns.Close() // a namespace is not written to
		}
		return err
	}
	c, err := s.create(r, netns)
	unwanted := s.settle(r.ID, c)
	if err != nil {
		return err
	}
	s.serving.Go(func() { s.watch(c) })
	if unwanted {
		return errors.Join(shim.ErrGone, s.delete(r.ID))
	}
	return nil
}

// watch waits for the end of c, records it and tells the daemon.
func (s *Server) watch(c *container) {
	exit := c.wait()
	if err := s.journal.add(exit); err != nil {
		s.log.Error("record exit", "instance", c.id, "err", err)
	}
	c.finish(&exit)
	s.mu.Lock()
	daemon := s.daemon
	s.mu.Unlock()
	if daemon != nil {
		// If it fails the daemon is gone; its next life asks for what is pending.
		_ = daemon.Send(&shim.Message{Exit: &exit})
	}
}

// delete ends the container and forgets it, its exit included. One that is
// being created is deleted when it has been.
func (s *Server) delete(id string) error {
	s.mu.Lock()
	c := s.containers[id]
	if c == nil && s.creating[id] != 0 {
		s.creating[id] = doomed
	}
	s.mu.Unlock()
	if c == nil {
		return s.journal.ack(id)
	}
	if err := c.kill(); err != nil {
		return fmt.Errorf("kill container: %w", err)
	}
	<-c.ended
	if err := c.release(); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.containers, id)
	s.mu.Unlock()
	return s.journal.ack(id)
}

// get finds a container.
func (s *Server) get(id string) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.containers[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %s", shim.ErrNotFound, id)
}

// list describes every container, and the unacknowledged exits of those that
// an earlier shim had.
func (s *Server) list() []shim.Container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []shim.Container
	for _, c := range s.containers {
		out = append(out, c.describe())
	}
	for _, e := range s.journal.pending() {
		if s.containers[e.ID] == nil {
			out = append(out, shim.Container{ID: e.ID, State: shim.Stopped, Exit: &e})
		}
	}
	return out
}
