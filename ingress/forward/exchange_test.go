package forward

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// echo answers with the sum of what it has got.
func echo(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s %d %x %v", r.Method, r.RequestURI, n, sum.Sum(nil), r.TransferEncoding)
}

func TestBodiesArriveWhole(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, echo)
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		for _, h2 := range []bool{false, true} {
			c := client(t, h2)
			for _, size := range []int{0, 1, 100, 5000, 70_000, 3 << 20} {
				for _, chunked := range []bool{false, true} {
					body := make([]byte, size)
					for i := range body {
						body[i] = byte(rand.Uint32())
					}
					var in io.Reader = bytes.NewReader(body)
					if chunked {
						in = io.MultiReader(in)
					}
					resp, err := c.Post(f.URL+"/a%2Fb?c=d;e", "", in)
					if err != nil {
						t.Fatal(err)
					}
					got, want := read(t, resp), fmt.Sprintf("POST /a%%2Fb?c=d;e %d %x", size, sha256.Sum256(body))
					if !strings.HasPrefix(got, want) {
						t.Errorf("h2c %v, client h2 %v, chunked %v: got %q, want %q", h2c, h2, chunked, got, want)
					}
					if res := f.result(t); res.Err != nil || !res.Sent || !res.Answered || res.Status != 200 || res.RequestBytes < int64(size) || res.ResponseBytes < int64(len(got)) {
						t.Errorf("h2c %v, client h2 %v, size %d: %+v", h2c, h2, size, res)
					}
				}
			}
		}
	}
}

func TestAnswersArriveWhole(t *testing.T) {
	t.Parallel()
	size := 0
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		_, _ = w.Write(body[:size])
	})
	for _, h2c := range []bool{false, true} {
		f := newFront(t, addr, h2c, nil)
		for _, h2 := range []bool{false, true} {
			c := client(t, h2)
			for _, size = range []int{0, 1, 1000, 8000, 8192, 9000, 100_000, 4 << 20} {
				for _, path := range []string{"/length", "/chunks"} {
					in, got := get(t, c, f.URL+path)
					if got != string(body[:size]) {
						t.Errorf("h2c %v, client h2 %v, %s, size %d: got %d bytes", h2c, h2, path, size, len(got))
					}
					if path == "/length" && in.ContentLength != int64(size) {
						t.Errorf("h2c %v, client h2 %v: length %d, want %d", h2c, h2, in.ContentLength, size)
					}
					if res := f.result(t); res.Err != nil || res.ResponseBytes < int64(size) {
						t.Errorf("%+v", res)
					}
				}
			}
		}
	}
}

// contract: NET-16
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	peers := map[string]int{}
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		peers[r.RemoteAddr]++
		mu.Unlock()
		if r.URL.Path == "/chunks" {
			http.NewResponseController(w).Flush()
		}
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		fmt.Fprint(w, "hello")
	})
	f := newFront(t, addr, false, nil)
	c := client(t, false)
	const workers, each = 8, 250
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range each {
				method := []string{"GET", "HEAD", "POST", "GET"}[i%4]
				path := []string{"/", "/chunks", "/none"}[i%3]
				var body io.Reader
				if method == "POST" {
					body = strings.NewReader("some")
				}
				req, _ := http.NewRequest(method, f.URL+path, body)
				in, err := c.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, in.Body)
				in.Body.Close()
			}
		})
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	// A body is not entrusted to a connection that has been idle for long, as on
	// a slow host some have.
	if n := len(peers); n > 3*workers {
		t.Errorf("%d requests, %d at a time, have used %d connections", workers*each, workers, n)
	}
}

func TestInformationPrecedesTheAnswer(t *testing.T) {
	t.Parallel()
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.Copy(w, r.Body)
	})
	f := newFront(t, addr, false, nil)
	var early []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			early = append(early, fmt.Sprint(code, h["Link"]))
			return nil
		},
	})
	req, _ := http.NewRequestWithContext(ctx, "POST", f.URL, strings.NewReader("body"))
	req.Header.Set("Expect", "100-continue")
	in, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, in); got != "body" || in.Header.Get("Link") != "" {
		t.Errorf("got %q, %v", got, in.Header)
	}
	if got := strings.Join(early, " "); got != "103 [</a.css>] 100 []" {
		t.Errorf("before the answer came %q", got)
	}
}

func TestBodyIsNotSentIfItIsNotWanted(t *testing.T) {
	t.Parallel()
	rest := make(chan string, 1)
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		head := readHead(in)
		if !strings.Contains(head, "Expect: 100-continue") {
			t.Errorf("the instance was not asked: %q", head)
		}
		io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
		all, _ := io.ReadAll(in)
		rest <- string(all)
	})
	f := newFront(t, addr, false, nil)
	req, _ := http.NewRequest("POST", f.URL, strings.NewReader("body"))
	req.Header.Set("Expect", "100-continue")
	in, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	read(t, in)
	if got := <-rest; in.StatusCode != 403 || got != "" {
		t.Errorf("status %d, and the instance got %q", in.StatusCode, got)
	}
}

func TestOldInstanceNeedNotAskForTheBody(t *testing.T) {
	t.Parallel()
	addr := newRaw(t, func(c net.Conn, in *bufio.Reader) {
		readHead(in)
		body := make([]byte, 4)
		io.ReadFull(in, body)
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n\r\n%s", body)
	})
	f := newFront(t, addr, false, nil)
	req, _ := http.NewRequest("POST", f.URL, strings.NewReader("body"))
	req.Header.Set("Expect", "100-continue")
	in, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, in); got != "body" {
		t.Errorf("got %q", got)
	}
}

// contract: REQ-7
func TestStreamsAreFlushed(t *testing.T) {
	t.Parallel()
	tick := make(chan struct{})
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		for range tick {
			fmt.Fprint(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
		}
	})
	for _, h2c := range []bool{false, true} {
		for _, h2 := range []bool{false, true} {
			tick = make(chan struct{})
			f := newFront(t, addr, h2c, nil)
			in, err := client(t, h2).Get(f.URL) // Returns when the head has come.
			if err != nil {
				t.Fatal(err)
			}
			body := bufio.NewReader(in.Body)
			for range 5 {
				tick <- struct{}{}
				if line, err := body.ReadString('\n'); err != nil || line != "data: x\n" {
					t.Fatal(line, err)
				}
				body.ReadString('\n')
			}
			close(tick)
			read(t, in)
			f.result(t)
		}
	}
}

// contract: REQ-8
func TestClientThatLeavesEndsTheRequest(t *testing.T) {
	t.Parallel()
	begun, over := make(chan struct{}), make(chan struct{})
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_ = http.NewResponseController(w).Flush()
		}
		begun <- struct{}{}
		<-r.Context().Done()
		over <- struct{}{}
	})
	for _, h2c := range []bool{false, true} {
		for _, h2 := range []bool{false, true} {
			for _, path := range []string{"/", "/stream"} {
				f := newFront(t, addr, h2c, nil)
				ctx, cancel := context.WithCancel(context.Background())
				req, _ := http.NewRequestWithContext(ctx, "GET", f.URL+path, nil)
				go func() {
					<-begun
					cancel()
				}()
				if in, err := client(t, h2).Do(req); err == nil {
					_, _ = io.Copy(io.Discard, in.Body)
					in.Body.Close()
				}
				<-over
				if res := f.result(t); !errors.Is(res.Err, context.Canceled) {
					t.Errorf("h2c %v, client h2 %v, %s: %+v", h2c, h2, path, res)
				}
			}
		}
	}
}

func TestContextEndsTheRequestWithItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("instance was removed")
	begun, over := make(chan struct{}, 1), make(chan struct{}, 1)
	addr := newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stream":
			_ = http.NewResponseController(w).Flush()
		case "/blocked":
			begun <- struct{}{}
			for w.Header().Set("Content-Length", "99999999999"); ; {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					over <- struct{}{}
					return
				}
			}
		}
		begun <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		over <- struct{}{}
	})
	for _, h2c := range []bool{false, true} {
		for _, path := range []string{"/", "/stream", "/upload", "/blocked"} {
			var cancel context.CancelCauseFunc
			f := newFront(t, addr, h2c, func(r *http.Request) *http.Request {
				var ctx context.Context
				ctx, cancel = context.WithCancelCause(r.Context())
				r.ProtoMajor, r.ProtoMinor = 2, 0 // For an answer of any length.
				return r.WithContext(ctx)
			})
			c, err := net.Dial("tcp", f.addr())
			if err != nil {
				t.Fatal(err)
			}
			head := "GET " + path + " HTTP/1.1\r\nHost: x\r\n"
			if path == "/upload" {
				head += "Content-Length: 10\r\n"
			}
			fmt.Fprint(c, head+"\r\n")
			<-begun
			if path == "/blocked" {
				time.Sleep(100 * time.Millisecond) // So that nothing can be written any more.
			}
			began := time.Now()
			cancel(cause)
			if res := f.result(t); !errors.Is(res.Err, cause) || time.Since(began) > 5*time.Second {
				t.Errorf("h2c %v, %s: %+v after %v", h2c, path, res, time.Since(began))
			}
			<-over
			c.Close()
		}
	}
}
