package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"runnel/api/wire"
)

// streamed is a server's configuration that reads bodies of /stream to their end,
// whatever they have.
func streamed() wire.Config {
	c := handle("/stream", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", errors.Is(err, os.ErrDeadlineExceeded), " ", err)
	})
	c.Streamed = []string{"/stream"}
	return c
}

// A body that is streamed may be of any length, and asks for the token like all
// others.
func TestStreamedBodiesHaveNoBound(t *testing.T) {
	t.Parallel()
	c := streamed()
	c.Token = "secret"
	s := start(t, c)
	for _, two := range []bool{false, true} {
		client := newClient(t, two, nil)
		big := strings.Repeat("x", 10<<20)
		if code, _, text := get(t, client, "POST", "http://"+s.addr+"/stream", big, "Authorization", "Bearer secret"); code != 200 || text != "10485760 false <nil>" {
			t.Errorf("10 MiB: %d %s", code, text)
		}
		if code, _, _ := get(t, client, "POST", "http://"+s.addr+"/stream", "x"); code != 401 {
			t.Errorf("without the token: %d", code)
		}
	}
}

// A streamed body may take longer than others, but not stand still.
func TestStreamedBodiesMustKeepComing(t *testing.T) {
	t.Parallel()
	const all = 500 * time.Millisecond
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := startWith(t, wire.NewHurried(streamed(), all), ln)
	client := newClient(t, false, nil)
	slow, w := io.Pipe()
	go func() {
		for range 4 {
			_, _ = io.WriteString(w, "x")
			<-time.After(all / 2)
		}
		_ = w.Close()
	}()
	if text := upload(t, client, s, slow); text != "4 false <nil>" {
		t.Errorf("a slow one: %s", text)
	}
	still, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, "x") }()
	if text := upload(t, client, s, still); !strings.HasPrefix(text, "1 true ") {
		t.Errorf("one that stands still: %s", text)
	}
	_ = w.Close()
}

// Shutdown ends a body that is streamed, and tells why.
func TestShutdownEndsStreamedBodies(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	c := streamed()
	read := c.Handlers["/stream"]
	c.Handlers["/stream"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		read.ServeHTTP(w, r)
	})
	s := start(t, c)
	body, w := io.Pipe()
	answer := make(chan string, 1)
	go func() { answer <- upload(t, newClient(t, false, nil), s, body) }()
	await(t, begun, "nobody reads the body")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if text := <-answer; !strings.Contains(text, "runnel is stopping") {
		t.Errorf("the client is told %s", text)
	}
}

// upload sends a body of unknown length, and returns the answer or the error.
func upload(t *testing.T, client *http.Client, s *server, body io.Reader) string {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/stream", body)
	if err != nil {
		return err.Error()
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Who waits to be asked for a body gets a refusal without sending any of it.
func TestStreamedBodiesAreRefusedUnread(t *testing.T) {
	t.Parallel()
	c := handle("/refuse", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	c.Streamed = []string{"/refuse"}
	s := start(t, c)
	client := newClient(t, false, nil)
	client.Transport.(*http.Transport).ExpectContinueTimeout = limit
	body, w := io.Pipe() // of which nothing comes
	defer w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.addr+"/refuse", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Expect", "100-continue")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusTeapot {
		t.Errorf("%d, %v", resp.StatusCode, err)
	}
}
