package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what should take an instant.
const patience = 30 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

// listen opens a port of the loopback interface.
func listen(t *testing.T) (l net.Listener, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// closed is a port at which nothing listens.
func closed(t *testing.T) int {
	t.Helper()
	l, port := listen(t)
	_ = l.Close()
	return port
}

// raw is a server that answers each connection with what answer writes.
func raw(t *testing.T, answer func(net.Conn)) (port int) {
	t.Helper()
	l, port := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return port
}

// silent is a server that never says anything.
func silent(t *testing.T) (port int) {
	t.Helper()
	l, port := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn) // until the client leaves
			}()
		}
	}()
	return port
}

// want compares what a check came to with a text, "" for well.
func want(t *testing.T, name string, err error, text string) {
	t.Helper()
	if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
		t.Errorf("%s: %v, want %q", name, err, text)
	}
}

// noLeaks checks that as many goroutines and descriptors are open after f as
// before.
func noLeaks(t *testing.T, f func()) {
	t.Helper()
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds) + runtime.NumGoroutine()
	}
	// The collector closes what was forgotten.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	f() // whatever is made once
	before := count()
	f()
	for deadline := time.Now().Add(5 * time.Second); count() > before; {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("%d goroutines and descriptors, and %d before:\n%s", count(), before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

var errStop = errors.New("the instance is stopped")

// stopped is a context that has ended because of errStop.
func stopped(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	return ctx
}
