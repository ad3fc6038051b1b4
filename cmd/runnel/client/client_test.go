package client

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// jobs answers GetJob by the last part of the name: with an error of a kind, or
// with the token that came along.
type jobs struct{ runpb.UnimplementedJobsServer }

func (jobs) GetJob(ctx context.Context, r *runpb.GetJobRequest) (*runpb.Job, error) {
	switch r.GetName() {
	case "locked":
		return nil, status.Error(codes.Unauthenticated, "no")
	case "missing":
		return nil, status.Error(codes.NotFound, "job missing is not there")
	case "large":
		return &runpb.Job{Name: strings.Repeat("x", 5<<20)}, nil
	case "full":
		return nil, status.Error(codes.Unavailable, "The state of this host cannot be written: disk full")
	case "bad":
		s, err := status.New(codes.InvalidArgument, "bad").WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "job.a", Description: "is one"}, {Description: "is two"},
		}})
		if err != nil {
			return nil, err
		}
		return nil, s.Err()
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return &runpb.Job{Name: strings.Join(md.Get("authorization"), "|")}, nil
}

// server is a gRPC server for HTTP servers.
func server(t *testing.T) *grpc.Server {
	s := grpc.NewServer()
	runpb.RegisterJobsServer(s, jobs{})
	t.Cleanup(s.Stop)
	return s
}

// listenUnix serves on a unix socket, and returns its host.
func listenUnix(t *testing.T) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := server(t)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-done
	})
	return "unix://" + path
}

// shortDir is a directory whose name fits in the address of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "runnel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// open opens a client that ends with the test.
func open(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// get asks for a job and explains the error.
func (c *Client) get(t *testing.T, name string) (string, error) {
	t.Helper()
	job, err := c.Jobs.GetJob(t.Context(), &runpb.GetJobRequest{Name: name})
	return job.GetName(), c.Explain(err)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	host := listenUnix(t)
	c := open(t, Config{Host: host})
	for name, want := range map[string]string{
		"missing": "job missing is not there",
		"bad":     "job.a: is one\nis two",
		"locked":  host + " asks for a token; name its file with --token-file",
		"full":    "The state of this host cannot be written: disk full",
	} {
		_, err := c.get(t, name)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	_, err := c.get(t, "missing")
	if status.Code(err) != codes.NotFound {
		t.Errorf("the code is lost: %v", status.Code(err))
	}
	withToken := open(t, Config{Host: host, TokenFile: write(t, "token", "secret\n")})
	if got, err := withToken.get(t, "x"); got != "Bearer secret" || err != nil {
		t.Errorf("the daemon saw %q, %v", got, err)
	}
	if _, err := withToken.get(t, "locked"); err == nil || !strings.Contains(err.Error(), "does not accept the token") || strings.Contains(err.Error(), "secret") {
		t.Errorf("wrong token: %v", err)
	}
}

func TestDaemonThatIsNotThere(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	dead := filepath.Join(dir, "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := tcp.Addr().String()
	_ = tcp.Close()
	for host, want := range map[string]string{
		dir + "/none":       "cannot reach the daemon: there is no socket " + dir + "/none; is the daemon running? Start it with: sudo runnel serve",
		"unix://" + dead:    "cannot reach the daemon: nobody listens on " + dead + "; is the daemon running?",
		"http://" + address: "cannot reach the daemon: nobody listens on " + address + "; is the daemon running?",
	} {
		c := open(t, Config{Host: host})
		_, err := c.get(t, "x")
		if err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v\nwant %s", host, err, want)
		}
		if _, err := c.Get(t.Context(), "/x"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s over HTTP: %v\nwant %s", host, err, want)
		}
	}
	c := open(t, Config{})
	if err := c.unreachable(os.ErrPermission); !strings.Contains(err.Error(), "no permission for /run/runnel/runnel.sock; use sudo, or ") {
		t.Errorf("no permission: %v", err)
	}
	member := "runnel" // where the group has no name
	if g, err := user.LookupGroupId("1"); err == nil {
		member = g.Name
	}
	for group, want := range map[int]string{0: "make a group for it and join that: sudo groupadd --system runnel", 1: "sudo usermod -aG " + member + " $USER"} {
		if os.Geteuid() != 0 {
			break // only root gives files away
		}
		if err := os.Chown(dead, 0, group); err != nil {
			t.Fatal(err)
		}
		if err := open(t, Config{Host: dead}).unreachable(os.ErrPermission); !strings.Contains(err.Error(), want) {
			t.Errorf("no permission: %v", err)
		}
	}
}

// Who writes https where there is no TLS is told so.
func TestTLSWhereThereIsNone(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(server(t))
	t.Cleanup(s.Close)
	host := strings.Replace(s.URL, "http:", "https:", 1)
	c := open(t, Config{Host: host})
	want := "cannot reach the daemon: " + host + " does not speak TLS; write http:// instead of https://"
	if _, err := c.get(t, "x"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := c.Get(t.Context(), "/x"); err == nil || err.Error() != want {
		t.Errorf("over HTTP: %v, want %s", err, want)
	}
}

// Certificates are checked, and --ca-file says whom to trust.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(server(t))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	if _, err := open(t, Config{Host: s.URL}).get(t, "x"); err == nil || !strings.Contains(err.Error(), "name the daemon's own with --ca-file") {
		t.Errorf("an unknown certificate: %v", err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	c := open(t, Config{Host: s.URL, CAFile: write(t, "ca.pem", string(ca))})
	if _, err := c.get(t, "x"); err != nil {
		t.Error(err)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/locked":
			w.WriteHeader(http.StatusUnauthorized)
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":404,"message":"it is not there"}}`)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.URL.RequestURI()+" "+r.Header.Get("Authorization")+" "+string(body))
		}
	}))
	t.Cleanup(s.Close)
	c := open(t, Config{Host: s.URL, TokenFile: write(t, "token", "secret")})
	resp, err := c.Do(t.Context(), http.MethodPost, "/a?b=c", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "/a?b=c Bearer secret body" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	for path, want := range map[string]string{
		"/locked": "does not accept the token", "/missing": "it is not there", "/broken": "answered 502 Bad Gateway",
	} {
		if _, err := c.Get(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	c := open(t, Config{Host: listenUnix(t)})
	if name, err := c.get(t, "large"); err != nil || len(name) != 5<<20 {
		t.Errorf("%d bytes, %v", len(name), err)
	}
}

func TestBadConfigs(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"ftp://x", "http://", "x", "unix://relative/path", "http://h/path", "https://u@h", "http://h:p:q", "https://h?x=y"} {
		if _, err := Open(Config{Host: host}); !errors.Is(err, ErrHost) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for text, want := range map[string]error{"": ErrToken, "two words": ErrToken, "a\nb": ErrToken} {
		if _, err := Open(Config{TokenFile: write(t, "token", text)}); !errors.Is(err, want) {
			t.Errorf("token %q: %v", text, err)
		}
	}
	for _, cfg := range []Config{{TokenFile: "/no/such/file"}, {Host: "https://h", CAFile: "/no/such/file"}, {Host: "https://h", CAFile: write(t, "ca", "x")}, {Host: "http://h", CAFile: write(t, "ca", "x")}} {
		if _, err := Open(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
	for _, host := range []string{"", "/a/b", "unix:///a/b", "http://localhost:8787", "https://[::1]:1", "http://h/", "https://h"} {
		c, err := Open(Config{Host: host})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = c.Close()
	}
}
