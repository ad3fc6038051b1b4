package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// maxBody is what a body of HTTP/1 with a length may have.
const maxBody = 33_554_432

// zeros is an endless source of bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// post sends n bytes, with their length before them if sized.
func (s site) post(c *http.Client, n int64, sized bool) (code int, body string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url("/length"), io.LimitReader(zeros{}, n))
	if err != nil {
		s.t.Fatal(err)
	}
	if sized {
		r.ContentLength = n
	}
	resp, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp.StatusCode, string(text)
}

// contract: NET-9
func TestNET9BodiesOfRequestsHaveTheirLimit(t *testing.T) {
	s := plain.open(t)
	one, two := s.Requests(), s.http2()
	for _, c := range []struct {
		what   string
		client *http.Client
		n      int64
		sized  bool
		code   int
	}{
		{"32 MiB", one, maxBody, true, 200},
		{"one byte more", one, maxBody + 1, true, 413},
		{"one byte more in chunks", one, maxBody + 1, false, 200},
		{"one byte more by HTTP/2", two, maxBody + 1, true, 200},
	} {
		code, body := s.post(c.client, c.n, c.sized)
		if code != c.code || code == 200 && body != fmt.Sprintln(c.n) {
			t.Errorf("%s: %d %q, want %d", c.what, code, body, c.code)
		}
	}
}

// contract: NET-10
func TestNET10AnswersOfHTTP1HaveTheirLimit(t *testing.T) {
	s := plain.open(t)
	one, two := s.Requests(), s.http2()
	for _, c := range []struct {
		what    string
		client  *http.Client
		n       int
		chunked string
		code    int
	}{
		{"32 MiB", one, maxBody, "", 200},
		{"one byte more", one, maxBody + 1, "", 500},
		{"one byte more in chunks", one, maxBody + 1, "&chunked=1", 200},
		{"one byte more by HTTP/2", two, maxBody + 1, "", 200},
	} {
		a := s.Ask(c.client, http.MethodGet, s.name, fmt.Sprintf("/bytes?n=%d%s", c.n, c.chunked), nil)
		if a.Err != nil || a.Code != c.code || a.Code == 200 && len(a.Body) != c.n {
			t.Errorf("%s: %d with %d bytes, %v, want %d", c.what, a.Code, len(a.Body), a.Err, c.code)
		}
	}
}

// contract: NET-11
// A hundred are answered at a time; one more is refused, and harms none of them.
func TestNET11ConnectionsOfHTTP2Carry100Requests(t *testing.T) {
	s := plain.open(t)
	c := s.frames()
	if n := c.settings[http2.SettingMaxConcurrentStreams]; n != 100 {
		t.Errorf("the connection is said to carry %d requests", n)
	}
	for i := range uint32(101) {
		c.request(2*i+1, "/events?n=2&every=1h")
	}
	answered, refused := 0, map[uint32]bool{}
	for answered < 100 || len(refused) < 1 {
		switch f := c.next().(type) {
		case *http2.MetaHeadersFrame:
			answered++
		case *http2.RSTStreamFrame:
			refused[f.StreamID] = true
		case *http2.GoAwayFrame:
			t.Fatalf("the connection is closed, with %v", f.ErrCode)
		}
	}
	if answered != 100 || len(refused) != 1 || !refused[201] {
		t.Errorf("%d are answered, refused are %v", answered, refused)
	}
}

// contract: NET-16
func TestNET16ConnectionsToTheContainerAreKept(t *testing.T) {
	s := plain.open(t)
	const workers = 8
	each := 500
	if testing.Short() {
		each = 50
	}
	var mu sync.Mutex
	used := map[string]int{} // guarded by mu
	client := s.Requests()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range each {
				method, body := http.MethodGet, io.Reader(nil)
				if i%2 == 1 {
					method, body = http.MethodPost, strings.NewReader("some")
				}
				var seen requestSeen
				s.Ask(client, method, s.name, "/request", body).Is(s.Host, 200).Decode(s.Host, &seen)
				mu.Lock()
				used[seen.Remote]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	// Others use them, too; and a body is not entrusted to a connection that has
	// been idle for a second.
	if n := len(used); n > workers*each/8 {
		t.Errorf("%d requests, %d at a time, have used %d connections", workers*each, workers, n)
	}
	t.Logf("%d requests by %d connections", workers*each, len(used))
}
