package server

import (
	"errors"
	"fmt"
	"os"

	"runnel/runtime/shim"
)

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

// add runs create and keeps the container, unless its ID is taken. Of files,
// which it takes over, the first is the network namespace; all are kept with the
// container.
func (s *Server) add(r *shim.CreateRequest, files []*os.File) error {
	if err := s.claim(r.ID); err != nil {
		closeAll(files)
		return err
	}
	s.held.put(r.ID, files)
	var netns *os.File
	if len(files) > 0 {
		netns = files[0]
	}
	c, err := s.create(r, netns)
	if err != nil {
		s.held.drop(r.ID) // before the ID is free for another
	}
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
	s.forget(c)
	return s.journal.ack(id)
}

// forget drops a container that has been released, and what is kept with it.
func (s *Server) forget(c *container) {
	s.mu.Lock()
	var files []*os.File
	if s.containers[c.id] == c { // not deleted at the same time, and its ID taken again
		files = s.held.take(c.id)
		delete(s.containers, c.id)
	}
	s.mu.Unlock()
	closeAll(files)
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
