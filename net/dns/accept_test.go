package dns

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// poorListener fails as often as errs says, then hands out one connection, and
// then waits to be closed.
type poorListener struct {
	net.Listener
	errs   []error
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPoorListener(errs ...error) (l *poorListener, client net.Conn) {
	client, server := net.Pipe()
	l = &poorListener{errs: errs, conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- server
	return l, client
}

func (l *poorListener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *poorListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func TestTCPOutlivesTheWantOfDescriptors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, client := newPoorListener(syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED)
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- New(Config{}).ServeTCP(ctx, l) }()
		start := time.Now()
		if err := writeTCP(client, message(t, 7, "www.example.com.", dnsmessage.TypeA, false)); err != nil {
			t.Fatal(err)
		}
		answer, err := readTCP(client)
		if err != nil || unpack(t, answer).ID != 7 {
			t.Errorf("got %x, %v", answer, err)
		}
		if waited := time.Since(start); waited < 5*minPause || waited > 10*time.Second {
			t.Errorf("answered after %v", waited)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestTCPEndsWhileItWaitsForDescriptors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, client := newPoorListener(syscall.EMFILE)
		defer client.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- New(Config{}).ServeTCP(ctx, l) }()
		synctest.Wait()
		cancel()
		start := time.Now()
		if err := <-done; err != nil || time.Since(start) > 0 {
			t.Errorf("ended %v late: %v", time.Since(start), err)
		}
	})
}

func TestTCPEndsWithAnErrorThatStays(t *testing.T) {
	t.Parallel()
	l, client := newPoorListener(syscall.EBADF)
	defer client.Close()
	if err := New(Config{}).ServeTCP(t.Context(), l); !errors.Is(err, syscall.EBADF) {
		t.Errorf("got %v, want EBADF", err)
	}
}
