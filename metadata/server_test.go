package metadata_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"runnel/metadata"
)

func TestServerBoundsWhatAClientMayHold(t *testing.T) {
	t.Parallel()
	srv := metadata.NewServer(metadata.New(metadata.Config{}))
	if srv.ReadHeaderTimeout <= 0 || srv.ReadTimeout <= 0 || srv.WriteTimeout <= 0 || srv.IdleTimeout <= 0 || srv.ErrorLog == nil {
		t.Errorf("a bound is missing: %+v", srv)
	}
	url := start(t, first)
	if resp, _ := get(t, url+"/", "X-Long", strings.Repeat("x", 64<<10)); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of headers = %d, want 431", resp.StatusCode)
	}
}

func TestSlowClientIsCutOff(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := metadata.NewServer(metadata.New(metadata.Config{}))
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	// The server closes the connection, with or without a word.
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("a client that never ends its headers: %v", err)
	}
}

// contract: ATK-25
func TestConnectionsOfOneInstanceAreBounded(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := metadata.Limit(ln)
	const bound = 128
	accepted := make(chan net.Conn, 2*bound)
	go func() {
		defer close(accepted)
		for {
			c, err := limited.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var dialer net.Dialer
	for range bound + 1 {
		c, err := dialer.DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	open := make([]net.Conn, 0, bound)
	for range bound {
		open = append(open, <-accepted)
	}
	if len(accepted) != 0 {
		t.Error("more connections than the bound were accepted")
	}
	_ = open[0].Close()
	select {
	case c := <-accepted:
		open[0] = c
	case <-ctx.Done():
		t.Error("closing a connection lets no other in")
	}
	_ = limited.Close()
	for c := range accepted {
		_ = c.Close()
	}
	for _, c := range open {
		_ = c.Close()
	}
}
