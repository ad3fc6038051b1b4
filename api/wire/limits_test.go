package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/wire"
)

func TestHeadersAndBodiesAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, handle("/echo", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		fmt.Fprint(w, n, err)
	}))
	client := newClient(t, false, nil)
	big := strings.Repeat("x", 4<<20)
	if code, _, text := get(t, client, "POST", "http://"+s.addr+"/echo", big); code != 200 || text != "4194304 <nil>" {
		t.Errorf("4 MiB: %d %s", code, text)
	}
	if code, _, _ := get(t, client, "POST", "http://"+s.addr+"/echo", big+"x"); code != 413 {
		t.Errorf("more than 4 MiB: %d", code)
	}
	body := `{"labels":{"a":"` + big + `"}}`
	code, _, text := get(t, client, "POST", "http://"+s.addr+"/v2/projects/p/locations/r/jobs", body, "Content-Type", "application/json")
	if code != 413 || !strings.Contains(text, `"code": 413`) {
		t.Errorf("a job of more than 4 MiB: %d %s", code, text)
	}
	if code, _, _ := get(t, client, "GET", "http://"+s.addr+"/echo", "", "X-Large", big[:100<<10]); code != 431 {
		t.Errorf("100 KiB of headers: %d", code)
	}
	_, err := runpb.NewJobsClient(dial(t, s.addr)).CreateJob(t.Context(), &runpb.CreateJobRequest{JobId: big})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message of more than 4 MiB: %v", err)
	}
}

// A panic is the end of a call, not of the daemon, whichever way the call came.
func TestPanicsEndOneCall(t *testing.T) {
	t.Parallel()
	c := handle("/panic", func(http.ResponseWriter, *http.Request) { panic("secret reason") })
	c.Handlers["/half"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("secret reason")
	})
	s := start(t, c) // without a Control, every call of a job panics
	client := newClient(t, false, nil)
	for _, path := range []string{"/panic", "/v2/projects/p/locations/r/jobs/j"} {
		code, _, text := get(t, client, "GET", "http://"+s.addr+path, "")
		if code != 500 || !strings.Contains(text, `"INTERNAL"`) || strings.Contains(text, "secret") {
			t.Errorf("%s: %d %s", path, code, text)
		}
		if text := s.log.text(); !strings.Contains(text, "panicked") || !strings.Contains(text, "stack=") {
			t.Errorf("%s: the log says nothing: %s", path, text)
		}
	}
	_, err := runpb.NewJobsClient(dial(t, s.addr)).GetJob(t.Context(), &runpb.GetJobRequest{Name: "projects/p/locations/r/jobs/j"})
	if status.Code(err) != codes.Internal {
		t.Errorf("gRPC: %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.addr+"/half", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("half an answer looks like a whole one: %q", text)
	}
}

// hurried is a server whose callers have a second for a body or a write.
func hurried(t testing.TB, c wire.Config) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, wire.NewHurried(c, time.Second), ln)
}

// A client that does not go on with what it has begun is cut off, wherever it
// stops.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	c := handle("/read", func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})
	c.Handlers["/write"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		ended <- err
	})
	s := hurried(t, c)
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: loc",
		"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
		"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
		"GET /write HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM",
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprint(conn, request); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(request, " /") && !strings.Contains(request, " / ") {
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%q: %v", request, err)
			}
		}
		if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: the connection stays", request)
		}
	}
}

// Of a body that does not come REST says so.
func TestSlowBodiesAreToldSo(t *testing.T) {
	t.Parallel()
	s := hurried(t, wire.Config{Token: token})
	slow, never := io.Pipe()
	defer never.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.addr+"/v2/projects/p/locations/r/jobs", slow)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := withToken{newClient(t, true, nil).Transport}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 408 || !strings.Contains(string(text), "DEADLINE_EXCEEDED") {
		t.Errorf("%d %s %v", resp.StatusCode, text, err)
	}
}

// A handler that streams keeps streaming after its request's body has ended,
// and sees its client go.
func TestStreamsAreNotCutOff(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	s := hurried(t, handle("/stream", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, "one")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(2 * time.Second): // longer than any write or body may take
			fmt.Fprintln(w, "two")
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
		}
		<-r.Context().Done()
		gone <- struct{}{}
	}))
	for _, two := range []bool{false, true} {
		readStream(t, newClient(t, two, nil), "http://"+s.addr+"/stream", gone)
	}
}

// readStream reads two lines, leaves, and waits until the handler knows.
func readStream(t *testing.T, client *http.Client, url string, gone <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"one\n", "two\n"} {
		if line, err := lines.ReadString('\n'); line != want || err != nil {
			t.Errorf("%q %v, want %q", line, err, want)
		}
	}
	cancel()
	await(t, gone, "the handler does not see its client go")
}

// await waits for done.
func await(t testing.TB, done <-chan struct{}, otherwise string) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatal(otherwise)
	}
}
