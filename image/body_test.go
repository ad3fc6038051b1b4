package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections lie in memory, so that the time of a
// synctest bubble passes while both ends wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// inMemory is a registry that handler answers for.
func inMemory(t *testing.T, handler http.HandlerFunc) *registry {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan error)
	go func() { served <- server.Serve(p) }()
	ref, err := ParseReference("localhost:1/repo:tag")
	must(t, err)
	r := newRegistry(ref, nil)
	r.network.http.DialContext = p.dial
	t.Cleanup(func() {
		must(t, r.close())
		must(t, server.Close())
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		synctest.Wait() // for the handlers
	})
	return r
}

// stall begins an answer and does not go on.
func stall(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("{"))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// contract: REG-5
// A registry that stands still, wherever it does, is given up in time.
func TestRegistryStalls(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		code int
		want error // of a pull whose other answers are empty
	}{
		"manifest":          {"/v2/repo/manifests/tag", http.StatusOK, errStalled},
		"manifest's error":  {"/v2/repo/manifests/tag", http.StatusNotFound, errStalled},
		"ping's error":      {"/v2/", http.StatusForbidden, errStalled},
		"token":             {"/token", http.StatusOK, errStalled},
		"ping that is read": {"/v2/", http.StatusOK, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
					switch req.URL.Path {
					case c.path:
						w.WriteHeader(c.code)
						stall(w, req)
					case "/v2/":
						if c.path == "/token" {
							w.Header().Set("WWW-Authenticate", `Bearer realm="http://localhost:1/token"`)
							w.WriteHeader(http.StatusUnauthorized)
						}
					}
				})
				began := time.Now()
				_, err := r.root(t.Context())
				if (c.want == nil) != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want.Error()) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > 2*maxAttempts*(stallTimeout+time.Second) {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// contract: REG-8
// What a registry says on being greeted is not read for ever.
func TestPingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
			if req.URL.Path == "/v2/" {
				http.Redirect(w, req, "/hello", http.StatusFound)
			}
			for req.URL.Path == "/hello" {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := r.root(ctx); err != nil {
			t.Error(err)
		}
	})
}

// contract: REG-2
// A registry without ranges gives again what is there already, which may take
// longer than it may stand still.
func TestResumeReadsAgainPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blob := make([]byte, 10<<10)
		asked := 0
		r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
			if !strings.Contains(req.URL.Path, "/blobs/") {
				return
			}
			asked++
			w.Header().Set("Content-Length", fmt.Sprint(len(blob)))
			for at := 0; at < len(blob); at += 1 << 10 {
				if asked == 1 && at > len(blob)/2 {
					panic(http.ErrAbortHandler)
				}
				_, _ = w.Write(blob[at:][:1<<10])
				w.(http.Flusher).Flush()
				_ = wait(req.Context(), stallTimeout/2) // ends with the test
			}
		})
		body, err := r.blob(t.Context(), descriptor{Digest: string(digestOf(blob)), Size: int64(len(blob))})
		must(t, err)
		n, err := io.Copy(io.Discard, body)
		if n != int64(len(blob)) || err != nil || asked != 2 {
			t.Errorf("%d bytes after %d requests, %v", n, asked, err)
		}
		must(t, body.Close())
	})
}

// contract: REG-2
// A registry that cannot be reached when a download breaks is asked again.
func TestResumeWaitsForTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blob := make([]byte, 1<<20)
		asked, refusals := 0, 0
		r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
			if !strings.Contains(req.URL.Path, "/blobs/") {
				return
			}
			if asked++; asked == 1 {
				_, _ = w.Write(blob[:len(blob)/2])
				panic(http.ErrAbortHandler)
			}
			_, _ = w.Write(blob)
		})
		dial := r.network.http.DialContext
		r.network.http.DialContext = func(ctx context.Context, proto, addr string) (net.Conn, error) {
			if asked == 1 && refusals < 2 {
				refusals++
				return nil, &net.OpError{Op: "dial", Net: proto, Err: syscall.ECONNREFUSED}
			}
			return dial(ctx, proto, addr)
		}
		body, err := r.blob(t.Context(), descriptor{Digest: string(digestOf(blob)), Size: int64(len(blob))})
		must(t, err)
		n, err := io.Copy(io.Discard, body)
		if n != int64(len(blob)) || err != nil || refusals != 2 {
			t.Errorf("%d bytes after %d refusals, %v", n, refusals, err)
		}
		must(t, body.Close())
	})
}

// A slow reader is not a registry that stands still.
func TestBodyWaitsForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := inMemory(t, func(w http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.URL.Path, "/blobs/") {
				asked++
				_, _ = w.Write(make([]byte, 1<<20))
			}
		})
		body, err := r.blob(t.Context(), descriptor{Digest: "sha256:x", Size: 1 << 20})
		must(t, err)
		_, err = io.ReadFull(body, make([]byte, 1<<10))
		must(t, err)
		time.Sleep(2 * stallTimeout)
		if n, err := io.Copy(io.Discard, body); n != 1<<20-1<<10 || err != nil || asked != 1 {
			t.Errorf("%d bytes after %d requests, %v", n, asked, err)
		}
		must(t, body.Close())
	})
}
