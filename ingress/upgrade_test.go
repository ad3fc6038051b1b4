package ingress

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// contract: NET-6
func TestAnUpgradedConnectionEndsAtTheTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	pool := poolOf(breaks(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(c, c)
	}))
	r := public(pool)
	r.Splits[0].Target.Timeout = 2 * time.Second
	r.Splits[0].Target.Affinity = true
	w.Set(r)
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n")
	in := bufio.NewReader(c)
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		head.WriteString(line)
	}
	if !strings.HasPrefix(head.String(), "HTTP/1.1 101 ") {
		t.Fatalf("got %q", head.String())
	}
	_, _ = io.WriteString(c, "hello\n")
	if line, err := in.ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("echoed %q, %v", line, err)
	}
	if s := pool.Stats(); s.Active != 1 {
		t.Errorf("%d requests are active while the connection is open", s.Active)
	}
	_, _ = io.Copy(io.Discard, in)
	e := w.last(t, 1)
	if e.Status != 101 || e.Latency < 2*time.Second || e.Latency > 12*time.Second {
		t.Errorf("recorded %+v", e)
	}
	if s := pool.Stats(); s.Active != 0 {
		t.Errorf("%d requests are active after its end", s.Active)
	}
}
