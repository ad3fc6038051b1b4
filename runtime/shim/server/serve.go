package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"runnel/runtime/shim"
)

// handoverTime bounds how long a new daemon is kept waiting for the calls of the
// one before. They take milliseconds, unless the kernel will not let go of a
// container.
const handoverTime = 20 * time.Second

// serve answers one connection until it ends. The latest connection is the
// daemon's, and hears of every exit from the unacknowledged ones on.
func (s *Server) serve(conn *shim.Conn) {
	defer conn.Close()
	former, ok := s.adopt(conn)
	if !ok {
		return
	}
	defer s.dismiss(conn)
	s.outlast(former)
	if err := conn.Send(&shim.Message{Hello: &shim.Greeting{Protocol: shim.Protocol, PID: os.Getpid()}}); err != nil {
		return
	}
	s.report(conn)
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
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ECONNRESET) {
				s.log.Error("receive", "err", err)
			}
			return
		}
		calls.Go(func() { s.call(conn, m, files) })
	}
}

// call carries out one call and answers it.
func (s *Server) call(conn *shim.Conn, m *shim.Message, files []*os.File) {
	body, kept, err := s.answer(m, files)
	failed := conn.Reply(m.Call, body, err, kept...)
	if errors.Is(failed, shim.ErrUnsendable) {
		failed = conn.Reply(m.Call, nil, fmt.Errorf("%s: %w", m.Method, failed))
	}
	_ = failed // the caller is gone, and Receive says so next
	if m.Method == shim.MethodEnd && err == nil {
		s.leave()
	}
}

// report has exits sent to conn from now on, unless another daemon has come.
func (s *Server) report(conn *shim.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == conn {
		s.daemon = conn
	}
}

// adopt makes conn the daemon's connection, ends the former ones and returns
// them; false if the shim is stopping. There is one daemon: what a former one
// was having created nobody will ask for.
func (s *Server) adopt(conn *shim.Conn) (former []<-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, false
	}
	for c, over := range s.conns {
		_ = c.Close() // its daemon is gone
		former = append(former, over)
	}
	for id := range s.creating {
		s.creating[id] = doomed
	}
	s.latest, s.daemon = conn, nil
	s.conns[conn] = make(chan struct{})
	return former, true
}

// outlast waits until the calls of former connections have been carried out, so
// that none takes effect behind the back of the daemon.
func (s *Server) outlast(former []<-chan struct{}) {
	limit := time.NewTimer(handoverTime)
	defer limit.Stop()
	for _, over := range former {
		select {
		case <-over:
		case <-limit.C:
			s.log.Error("calls of the daemon before are not over", "waited", handoverTime.String())
			return
		}
	}
}

// dismiss forgets a connection that has ended, and whose calls have been
// carried out.
func (s *Server) dismiss(conn *shim.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.conns[conn])
	delete(s.conns, conn)
	if s.daemon == conn {
		s.daemon = nil
	}
}

// answer carries out one call. It owns files; what it returns to be sent stays
// the shim's.
func (s *Server) answer(m *shim.Message, files []*os.File) (body any, kept []syscall.Conn, err error) {
	switch m.Method {
	case shim.MethodCreate:
		return nil, nil, s.answerCreate(m, files)
	case shim.MethodHold:
		return nil, nil, s.answerHold(m, files)
	}
	closeAll(files) // no other call takes any
	switch m.Method {
	case shim.MethodFilter:
		body, err = s.filters.define(m.Body)
	case shim.MethodStart:
		err = s.answerStart(m)
	case shim.MethodSignal:
		err = s.answerSignal(m)
	case shim.MethodDelete:
		err = withID(m, s.delete)
	case shim.MethodAck:
		err = withID(m, s.journal.ack)
	case shim.MethodList:
		body = s.list()
	case shim.MethodFetch:
		err = withID(m, func(name string) error { kept = s.held.get(name); return nil })
	case shim.MethodDrop:
		err = withID(m, func(name string) error { s.held.drop(name); return nil })
	case shim.MethodEnd:
		err = s.end()
	default:
		err = fmt.Errorf("method %q is not known to this shim", m.Method)
	}
	return body, kept, err
}

func (s *Server) answerCreate(m *shim.Message, files []*os.File) error {
	r := new(shim.CreateRequest)
	err := checkComplete(files)
	if err == nil {
		err = json.Unmarshal(m.Body, r)
	}
	if err == nil {
		err = check(r)
	}
	if err != nil {
		closeAll(files)
		return fmt.Errorf("create: %w", err)
	}
	return s.add(r, files)
}

// answerHold keeps files under a name that no instance can have.
func (s *Server) answerHold(m *shim.Message, files []*os.File) error {
	err := withID(m, func(name string) error {
		if shim.CheckID(name) == nil {
			return fmt.Errorf("%q could be an instance", name)
		}
		if err := checkComplete(files); err != nil {
			return err
		}
		s.held.put(name, files)
		return nil
	})
	if err != nil {
		closeAll(files)
		return fmt.Errorf("hold: %w", err)
	}
	return nil
}

func (s *Server) answerStart(m *shim.Message) error {
	var r shim.StartRequest
	if err := json.Unmarshal(m.Body, &r); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	i, err := s.get(r.ID)
	if err != nil {
		return err
	}
	if r.Container < 0 || r.Container >= len(i.containers) {
		return fmt.Errorf("%w: %s has no container %d", shim.ErrNotFound, r.ID, r.Container)
	}
	return i.containers[r.Container].start()
}

func (s *Server) answerSignal(m *shim.Message) error {
	var r shim.SignalRequest
	if err := json.Unmarshal(m.Body, &r); err != nil {
		return fmt.Errorf("signal: %w", err)
	}
	i, err := s.get(r.ID)
	if err != nil {
		return err
	}
	if r.All {
		return i.kill()
	}
	return i.signal(r.Signal)
}

// withID calls f with the ID that is the body of m.
func withID(m *shim.Message, f func(id string) error) error {
	var id string
	if err := json.Unmarshal(m.Body, &id); err != nil {
		return fmt.Errorf("%s: %w", m.Method, err)
	}
	return f(id)
}
