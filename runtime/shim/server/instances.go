package server

import (
	"errors"
	"fmt"
	"os"

	"runnel/runtime/shim"
)

// fate is what is to become of an instance that is being created.
type fate int

const (
	kept   fate = iota + 1
	doomed      // deleted before its creation was over
)

// claim takes the IDs of an instance about to be created, and of its containers.
func (s *Server) claim(r *shim.CreateRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return shim.ErrGone
	}
	all := ids(r)
	for _, id := range all {
		if s.taken[id] {
			return fmt.Errorf("%w: %s", shim.ErrExists, id)
		}
	}
	for _, id := range all {
		s.taken[id] = true
	}
	s.creating[r.ID] = kept
	return nil
}

// ids are the names that an instance takes up.
func ids(r *shim.CreateRequest) []string {
	all := []string{r.ID}
	for n := range r.Containers {
		all = append(all, r.Containers[n].ID)
	}
	return all
}

// settle ends the creation of an instance; i is nil if it failed. It returns
// whether the instance is to be deleted at once.
func (s *Server) settle(r *shim.CreateRequest, i *instance) (unwanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unwanted = s.stopping || s.creating[r.ID] == doomed
	delete(s.creating, r.ID)
	if i != nil {
		s.instances[r.ID] = i
		return unwanted
	}
	for _, id := range ids(r) {
		delete(s.taken, id)
	}
	return unwanted
}

// add runs create and keeps the instance, unless one of its IDs is taken. Of
// files, which it takes over, the first is the network namespace; all are kept
// with the instance.
func (s *Server) add(r *shim.CreateRequest, files []*os.File) error {
	if err := s.claim(r); err != nil {
		closeAll(files)
		return err
	}
	s.held.put(r.ID, files)
	var netns *os.File
	if len(files) > 0 {
		netns = files[0]
	}
	i, err := s.create(r, netns)
	if err != nil {
		i = nil
		s.held.drop(r.ID) // before the ID is free for another
	}
	unwanted := s.settle(r, i)
	if err != nil {
		return err
	}
	for _, c := range i.containers {
		s.serving.Go(func() { s.watch(c) })
	}
	if unwanted {
		return errors.Join(shim.ErrGone, s.delete(r.ID))
	}
	return nil
}

// watch waits for the end of c, records it and tells the daemon.
func (s *Server) watch(c *container) {
	exit := c.wait()
	if err := s.journal.add(exit); err != nil {
		s.log.Error("record exit", "container", c.id, "err", err)
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

// delete ends the instance and forgets it, its exits included. One that is
// being created is deleted when it has been.
func (s *Server) delete(id string) error {
	s.mu.Lock()
	i := s.instances[id]
	if i == nil && s.creating[id] != 0 {
		s.creating[id] = doomed
	}
	s.mu.Unlock()
	if i == nil {
		return s.journal.ack(id)
	}
	if err := i.kill(); err != nil {
		return err
	}
	for _, c := range i.containers {
		<-c.ended
	}
	if err := i.release(); err != nil {
		return err
	}
	s.forget(i)
	return s.journal.ack(id)
}

// forget drops an instance that has been released, and what is kept with it.
func (s *Server) forget(i *instance) {
	s.mu.Lock()
	var files []*os.File
	if s.instances[i.id] == i { // not deleted at the same time, and its ID taken again
		files = s.held.take(i.id)
		delete(s.instances, i.id)
		delete(s.taken, i.id)
		for _, c := range i.containers {
			delete(s.taken, c.id)
		}
	}
	s.mu.Unlock()
	closeAll(files)
}

// get finds an instance.
func (s *Server) get(id string) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.instances[id]; i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("%w: %s", shim.ErrNotFound, id)
}

// list describes every instance, and the unacknowledged exits of those that
// an earlier shim had.
func (s *Server) list() []shim.Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []shim.Instance
	for _, i := range s.instances {
		out = append(out, i.describe())
	}
	at := map[string]int{}
	for _, e := range s.journal.pending() {
		if s.instances[e.ID] != nil {
			continue
		}
		n, ok := at[e.ID]
		if !ok {
			n = len(out)
			at[e.ID] = n
			out = append(out, shim.Instance{ID: e.ID})
		}
		out[n].Containers = append(out[n].Containers, shim.Container{State: shim.Stopped, Exit: &e})
	}
	return out
}
