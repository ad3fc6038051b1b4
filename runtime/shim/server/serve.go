package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"runnel/runtime/shim"
)

// serve answers one connection until it ends. The latest connection is the
// daemon's, and hears of every exit from the unacknowledged ones on.
func (s *Server) serve(conn *shim.Conn) {
	defer conn.Close()
	if !s.adopt(conn) {
		return
	}
	defer s.dismiss(conn)
	// Exits that happen in between are sent twice; the daemon's answer to an
	// exit is idempotent.
	for _, e := range s.journal.pending() {
		if err := conn.Send(&shim.Message{Exit: &e}); err != nil {
			return
		}
	}
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		m, files, err := conn.Receive()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				s.log.Error("receive", "err", err)
			}
			return
		}
		calls.Go(func() {
			body, err := s.answer(m, files)
			// If it fails the caller is gone, and Receive says so next.
			_ = conn.Reply(m.Call, body, err)
		})
	}
}

// adopt makes conn the daemon's connection; false if the shim is stopping.
func (s *Server) adopt(conn *shim.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.daemon = conn
	s.conns[conn] = true
	return true
}

// dismiss forgets a connection that has ended.
func (s *Server) dismiss(conn *shim.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
	if s.daemon == conn {
		s.daemon = nil
	}
}

// answer carries out one call. It owns files.
func (s *Server) answer(m *shim.Message, files []*os.File) (any, error) {
	if m.Method == shim.MethodCreate {
		return nil, s.answerCreate(m, files)
	}
	for _, f := range files {
		_ = f.Close() // no other call takes any; nil only says so
	}
	switch m.Method {
	case shim.MethodFilter:
		return s.filters.define(m.Body)
	case shim.MethodStart:
		return nil, s.withContainer(m, (*container).start)
	case shim.MethodSignal:
		return nil, s.answerSignal(m)
	case shim.MethodDelete:
		return nil, withID(m, s.delete)
	case shim.MethodAck:
		return nil, withID(m, s.journal.ack)
	case shim.MethodList:
		return s.list(), nil
	}
	return nil, fmt.Errorf("method %q is not known to this shim", m.Method)
}

func (s *Server) answerCreate(m *shim.Message, files []*os.File) error {
	var netns *os.File
	if len(files) > 0 {
		if netns = files[0]; netns == nil {
			return errors.New("create: the shim has no room for another descriptor")
		}
	}
	r := new(shim.CreateRequest)
	err := json.Unmarshal(m.Body, r)
	if err == nil {
		err = shim.CheckID(r.ID)
	}
	if err == nil && (r.Spec == nil || r.Spec.Linux != nil && r.Spec.Linux.Seccomp != nil || r.Spec.Linux == nil || r.Spec.Process == nil || len(r.Spec.Process.Args) == 0) {
		err = errors.New("specification is missing, incomplete, or brings a filter of its own")
	}
	if err != nil {
		if netns != nil {
			_ = netns.Close() // a namespace is not written to
		}
		return fmt.Errorf("create: %w", err)
	}
	return s.add(r, netns)
}

func (s *Server) answerSignal(m *shim.Message) error {
	var r shim.SignalRequest
	if err := json.Unmarshal(m.Body, &r); err != nil {
		return fmt.Errorf("signal: %w", err)
	}
	c, err := s.get(r.ID)
	if err != nil {
		return err
	}
	if r.All {
		return c.kill()
	}
	return c.signal(r.Signal)
}

// withContainer calls f with the container whose ID is the body of m.
func (s *Server) withContainer(m *shim.Message, f func(*container) error) error {
	return withID(m, func(id string) error {
		c, err := s.get(id)
		if err != nil {
			return err
		}
		return f(c)
	})
}

// withID calls f with the ID that is the body of m.
func withID(m *shim.Message, f func(id string) error) error {
	var id string
	if err := json.Unmarshal(m.Body, &id); err != nil {
		return fmt.Errorf("%s: %w", m.Method, err)
	}
	return f(id)
}
