package ingress

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a listener whose connections are in memory.
type wire struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *wire) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *wire) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *wire) Addr() net.Addr { return &net.UnixAddr{Name: "wire"} }

// contract: ATK-23
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sent string
		within     time.Duration
	}{
		{"who says nothing", "", headerTimeout},
		{"who never ends a header", "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\nA: b\r\n", headerTimeout},
		{"who never ends a body that nobody wants", "POST / HTTP/1.1\r\nHost: nobody\r\nContent-Length: 9\r\n\r\n1", discardTimeout + time.Second},
		{"who asks for no more", "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n", idleTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := New(Config{})
				l := &wire{make(chan net.Conn), make(chan struct{})}
				done := make(chan error)
				go func() { done <- s.Serve(l, ListenerConfig{}) }()
				client, server := net.Pipe()
				l.conns <- server
				go func() { _, _ = io.WriteString(client, c.sent) }()
				begin := time.Now()
				_, _ = io.Copy(io.Discard, client)
				if took := time.Since(begin); took > c.within+time.Second || took < time.Second {
					t.Errorf("cut off after %v, want about %v", took, c.within)
				}
				client.Close()
				if err := s.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				<-done
				synctest.Wait()
				if n := len(s.connections); n != 0 {
					t.Errorf("%d connections are still counted", n)
				}
			})
		})
	}
}
