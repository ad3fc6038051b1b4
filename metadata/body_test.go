package metadata_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"runnel/metadata"
)

// A request that announces a body is refused at once, however long it would
// wait, and its connection ends: whether the client is still there could not be
// told otherwise.
func TestRequestsWithABodyAreNotHeld(t *testing.T) {
	t.Parallel()
	url := serve(t, metadata.New(metadata.Config{}), func() *metadata.Identity { return &first })
	known, _ := get(t, url+v1+"instance/id")
	for _, body := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %sinstance/id?wait_for_change=true&last_etag=%s HTTP/1.1\r\nHost: x\r\nMetadata-Flavor: Google\r\n%s\r\n\r\n",
			v1, known.Header.Get("ETag"), body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if resp.StatusCode != http.StatusBadRequest || !resp.Close {
			t.Errorf("%s: %s, connection closed: %v", body, resp.Status, resp.Close)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection stays: %v", body, err)
		}
	}
}

// A client that leaves while it waits is not waited with.
func TestWaitingEndsWithTheClient(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := metadata.New(metadata.Config{})
	srv := metadata.NewServer(h)
	left := make(chan struct{})
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if r.URL.RawQuery != "" {
			close(left)
		}
	})
	srv.BaseContext = func(net.Listener) context.Context {
		return metadata.WithIdentity(context.Background(), func() *metadata.Identity { return &first })
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	known, _ := get(t, "http://"+ln.Addr().String()+v1+"instance/id")
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %sinstance/id?wait_for_change=true&last_etag=%s HTTP/1.1\r\nHost: x\r\nMetadata-Flavor: Google\r\n\r\n",
		v1, known.Header.Get("ETag"))
	_ = conn.Close()
	select {
	case <-left:
	case <-time.After(30 * time.Second):
		t.Error("the request is still held")
	}
}
