package ingress

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2client is an HTTP/2 connection that is driven frame by frame.
type h2client struct {
	net.Conn
	*http2.Framer
	settings map[http2.SettingID]uint32
}

func (w *world) dialH2(t *testing.T) *h2client {
	t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(c, http2.ClientPreface)
	h := &h2client{Conn: c, Framer: http2.NewFramer(c, c), settings: map[http2.SettingID]uint32{}}
	if err := h.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	f, err := h.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := f.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("first came %v", f)
	}
	_ = s.ForeachSetting(func(s http2.Setting) error { h.settings[s.ID] = s.Val; return nil })
	_ = h.WriteSettingsAck()
	return h
}

// headers are those of a request, encoded.
func headers() []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "hello.run.localhost"}, {":path", "/"}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return b.Bytes()
}

// end reads frames until the server ends the connection, and reports whether it
// has.
func (h *h2client) end() bool {
	for {
		f, err := h.ReadFrame()
		var timeout net.Error
		if err != nil {
			return !errors.As(err, &timeout) || !timeout.Timeout()
		}
		if _, ok := f.(*http2.GoAwayFrame); ok {
			return true
		}
	}
}

// contract: NET-11
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	if got := w.dialH2(t).settings[http2.SettingMaxConcurrentStreams]; got != 100 {
		t.Errorf("a connection may have %d streams, want 100", got)
	}
}

// contract: ATK-23
func TestFloodsEndTheirConnection(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, Config{}, ListenerConfig{})
	pool := poolOf(app(t, func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(func() { close(hold) })
	w.Set(public(pool))
	for name, flood := range map[string]func(*h2client) error{
		"streams that are reset at once": func(h *h2client) error {
			for id := uint32(1); id < 40000; id += 2 {
				if err := h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers(), EndStream: true, EndHeaders: true}); err != nil {
					return err
				}
				if err := h.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
					return err
				}
			}
			return nil
		},
		"headers without an end": func(h *h2client) error {
			if err := h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers()}); err != nil {
				return err
			}
			var b bytes.Buffer
			e := hpack.NewEncoder(&b)
			_ = e.WriteField(hpack.HeaderField{Name: "a", Value: strings.Repeat("b", 8000), Sensitive: true})
			for range 20000 {
				if err := h.WriteContinuation(1, false, b.Bytes()); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := w.dialH2(t)
			wrote := make(chan error, 1)
			go func() { wrote <- flood(h) }()
			if !h.end() {
				t.Error("the connection goes on")
			}
			h.Close()
			<-wrote
			if n := pool.Stats().Requests; n > 3*resetBurst {
				t.Errorf("%d requests went to the instance", n)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	w := newWorld(t, Config{}, ListenerConfig{TLS: &tls.Config{Certificates: cert.TLS.Certificates}})
	seen := make(chan *http.Request, 1)
	w.Set(public(poolOf(app(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r }))))
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := cert.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = proto == "HTTP/2.0"
		transport.TLSClientConfig.ServerName = "example.com"
		r, _ := http.NewRequest("GET", "https://"+w.addr+"/", nil)
		r.Host = "hello.run.localhost"
		in, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		in.Body.Close()
		// contract: NET-3
		if r := <-seen; in.Proto != proto || r.TLS != nil || r.Header.Get("X-Forwarded-Proto") != "https" {
			t.Errorf("%s: over %s, the service sees %v", proto, in.Proto, r.Header)
		}
		transport.CloseIdleConnections()
	}
}

func TestShutdownCutsOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{}, ListenerConfig{})
	entered := make(chan struct{}, 2)
	w.Set(public(poolOf(app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			entered <- struct{}{}
			<-r.Context().Done()
			return
		}
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		entered <- struct{}{}
		_, _ = io.Copy(io.Discard, c)
	}))))
	for _, upgrade := range []string{"", "Connection: Upgrade\r\nUpgrade: x\r\n"} {
		c, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: hello.run.localhost\r\n"+upgrade+"\r\n")
		<-entered
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(ctx); err == nil {
		t.Error("shut down with requests under way")
	}
	if e := w.last(t, 2); e.Severity != "ERROR" {
		t.Errorf("recorded %+v", e)
	}
}
