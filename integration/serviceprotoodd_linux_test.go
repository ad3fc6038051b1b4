package integration

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"runnel/integration/rig"
)

// contract: NET-9, NET-11, ERR-413, ERR-431
// Clients that are old, wordy, careful or odd, but in their right.
func TestOddClients(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("web").Exits(0)
	for name, c := range map[string]struct{ text, begins, ends string }{
		"HTTP/1.0":                {"GET /env HTTP/1.0\r\nHost: web.run.localhost\r\n\r\n", "HTTP/1.0 200 OK\r\n", "}\n"},
		"HTTP/1.0 gets no chunks": {"GET /bytes?n=3&chunked=1 HTTP/1.0\r\nHost: web.run.localhost\r\n\r\n", "HTTP/1.0 200 OK\r\n", "\r\n\r\n\x00\x00\x00"},
		"a host in capitals":      {"GET / HTTP/1.1\r\nHost: WEB.Run.LocalHost\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\n"},
		"a host with a port":      {"GET / HTTP/1.1\r\nHost: web.run.localhost:4711\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\n"},
		"a host with a dot":       {"GET / HTTP/1.1\r\nHost: web.run.localhost.\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\n"},
		"HEAD":                    {"HEAD /bytes?n=3 HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\n"},
		"a method of its own":     {"PROPFIND /request HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\n"},
		"a request for the host":  {"OPTIONS * HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\n"},
		"CONNECT":                 {"CONNECT web.run.localhost:80 HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 ", ""},
		"an enormous header":      {"GET / HTTP/1.1\r\nHost: web.run.localhost\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "HTTP/1.1 431 ", ""},
		"a large header":          {"GET / HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\nX: " + strings.Repeat("x", 60<<10) + "\r\n\r\n", "HTTP/1.1 200 ", "\n"},
	} {
		if back := sendRaw(d, c.text); !strings.HasPrefix(back, c.begins) || !strings.HasSuffix(back, c.ends) {
			t.Errorf("%s: %q, want %q to %q", name, rig.Clip(back), c.begins, c.ends)
		}
	}
	d.Get("web", "/%72equest?x=%00+y;z").Is(h, 200, `"uri":"/%72equest?x=%00+y;z"`)
	expects(h, d)
	if n := streamsOf(d); n != 100 {
		t.Errorf("%d streams at a time, want 100", n)
	}
}

// expects sends a body when it is asked for it.
func expects(h *rig.Host, d *rig.Daemon) {
	h.Helper()
	c, err := net.Dial("tcp", d.Ingress)
	if err != nil {
		h.Fatal(err)
	}
	defer c.Close()
	err = c.SetDeadline(time.Now().Add(rig.Patience()))
	_, writeErr := io.WriteString(c, "POST /echo HTTP/1.1\r\nHost: web.run.localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	if err := errors.Join(err, writeErr); err != nil {
		h.Fatal(err)
	}
	const ask = "HTTP/1.1 100 Continue\r\n\r\n"
	asked := make([]byte, len(ask))
	if _, err := io.ReadFull(c, asked); err != nil || string(asked) != ask {
		h.Fatalf("a client that waits gets %q, %v", asked, err)
	}
	_, err = io.WriteString(c, "hello")
	back, readErr := io.ReadAll(c)
	if err = errors.Join(err, readErr); err != nil || !strings.HasPrefix(string(back), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(back), "hello") {
		h.Errorf("it gets %q, %v", back, err)
	}

	client := d.Requests()
	client.Transport.(*http.Transport).ExpectContinueTimeout = rig.Patience()
	r, err := http.NewRequest(http.MethodPost, "http://web.run.localhost/echo", unread{h})
	if err != nil {
		h.Fatal(err)
	}
	r.ContentLength = 32<<20 + 1
	r.Header.Set("Expect", "100-continue")
	rig.Do(client, r).Is(h, 413)
}

// unread is a body that nobody is to read.
type unread struct{ h *rig.Host }

func (u unread) Read([]byte) (int, error) {
	u.h.Error("the daemon has asked for a body that it refuses")
	return 0, io.EOF
}

// streamsOf is how many requests the daemon takes at a time on a connection of
// HTTP/2.
func streamsOf(d *rig.Daemon) uint32 {
	d.Host.Helper()
	c, err := net.Dial("tcp", d.Ingress)
	if err != nil {
		d.Host.Fatal(err)
	}
	defer c.Close()
	framer := http2.NewFramer(c, c)
	_, err = io.WriteString(c, http2.ClientPreface)
	if err := errors.Join(err, framer.WriteSettings(), c.SetDeadline(time.Now().Add(rig.Patience()))); err != nil {
		d.Host.Fatal(err)
	}
	f, err := framer.ReadFrame()
	settings, ok := f.(*http2.SettingsFrame)
	if err != nil || !ok {
		d.Host.Fatalf("%v comes first, %v", f, err)
	}
	n, _ := settings.Value(http2.SettingMaxConcurrentStreams)
	return n
}

// contract: AUTH-1, AUTH-2, NET-5, CLI-4
// Private services of gRPC, and those that a person calls through the proxy of
// the command line, which brings the token.
func TestPrivateServicesOfOtherProtocols(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	deployPrivate(d, "rpc", "--use-http2", "--set-env-vars", "H2C=1").Exits(0)
	rpc := grpc_testing.NewTestServiceClient(d.DialRPC("rpc"))
	ctx := h.Limit(rig.Patience())
	for token, want := range map[string]codes.Code{"": codes.PermissionDenied, "garbage": codes.Unauthenticated, adminToken(d, urlOf(d, "rpc")): codes.OK} {
		call := ctx
		if token != "" {
			call = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		if _, err := rpc.EmptyCall(call, &grpc_testing.Empty{}); status.Code(err) != want {
			t.Errorf("with the token %q: %v, want %v", rig.Clip(token), err, want)
		}
	}

	deployPrivate(d, "web").Exits(0)
	port := rig.FreeAddress(h)
	p := h.StartWith(d.Lead, "services", "proxy", "web", "--port", port[strings.LastIndexByte(port, ':')+1:])
	d.Eventually("the proxy is there", func() bool {
		return strings.Contains(p.Stderr.String()+p.Stdout.String(), "http://"+port+" proxies to "+urlOf(d, "web"))
	})
	client := d.Requests()
	client.Transport = &http.Transport{DisableKeepAlives: true}
	r, err := http.NewRequest(http.MethodGet, "http://"+port+"/request", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "mine")
	var s seen
	rig.Do(client, r).Is(h, 200).Decode(h, &s)
	if s.Headers.Get("Authorization") != "mine" || s.Headers.Get("X-Serverless-Authorization") != "" {
		t.Errorf("the service sees %v", s.Headers)
	}
	echoes(ctx, t, "ws://"+port+"/ws")
	p.Signal(syscall.SIGINT)
	p.Wait()
}

// echoes has a WebSocket send back a message.
func echoes(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.CloseNow() }() // it is closed
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Error(err)
	}
	if _, back, err := c.Read(ctx); err != nil || string(back) != "hello" {
		t.Errorf("%q comes back, %v", back, err)
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
