package rig

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// ListenEverywhere accepts on every address of the host, as a careless program
// does, and counts who comes.
func ListenEverywhere(t testing.TB) (port int, visits *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	visits = new(atomic.Int64)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			visits.Add(1)
			_, _ = io.WriteString(c, "come in\n") // whoever it is may have gone
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // ends Accept
		serving.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port, visits
}
