package rig

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"runnel/image/imagetest"
	"runnel/internal/testenv"
)

// Server is an image of the program that tests of services deploy.
func (h *Host) Server() string {
	h.Helper()
	return h.Image("server", func() imagetest.Build {
		program, err := os.ReadFile(testenv.Binary(h, "testserver"))
		if err != nil {
			h.Fatal(err)
		}
		return imagetest.Build{
			Layers: []imagetest.Layer{{Entries: []imagetest.Entry{
				imagetest.File("server", string(program), 0o755), imagetest.Dir("tmp", 0o1777),
			}}},
			Compression: imagetest.None,
			Config:      imagetest.Config{Entrypoint: []string{"/server"}},
		}
	})
}

// Inside is an image of the program that tells what a container is like, see
// internal/inside, and of busybox. Its arguments are an action and what it takes.
func (h *Host) Inside() string {
	h.Helper()
	return h.Image("inside", func() imagetest.Build {
		return imagetest.Build{
			Layers:      []imagetest.Layer{imagetest.MustBusybox(h), h.InsideLayer()},
			Compression: imagetest.None,
			Config:      imagetest.Config{Entrypoint: []string{"/inside"}, Env: ShellConfig().Env},
		}
	})
}

// InsideLayer is a layer with that program alone, as /inside.
func (h *Host) InsideLayer() imagetest.Layer {
	h.Helper()
	program, err := os.ReadFile(testenv.Binary(h, "inside"))
	if err != nil {
		h.Fatal(err)
	}
	return imagetest.Layer{Entries: []imagetest.Entry{imagetest.File("inside", string(program), 0o755)}}
}

// ServeRequests starts a daemon that takes requests for services.
func (h *Host) ServeRequests(flags ...string) *Daemon {
	h.Helper()
	address := FreeAddress(h)
	d := h.Serve(append(flags, "--ingress", address)...)
	d.Ingress = address
	return d
}

// Deploy deploys the test server, for everybody.
func (d *Daemon) Deploy(name string, flags ...string) Result {
	d.Host.Helper()
	return d.CLI(d.deployment(name, flags)...)
}

// deployment is the command that deploys the test server.
func (d *Daemon) deployment(name string, flags []string) []string {
	d.Host.Helper()
	args := []string{"deploy", name, "--image", d.Host.Server(), "--allow-unauthenticated", "--memory", "256Mi"}
	return append(args, flags...)
}

// Answer is what came back for a request.
type Answer struct {
	Code   int
	Header http.Header
	Body   string
	Took   time.Duration
	Err    error
	// Protocol is what it came by, such as HTTP/1.1.
	Protocol string
}

// Requests is a client to which every host is the daemon's ingress.
func (d *Daemon) Requests() *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.Ingress)
		},
		MaxIdleConnsPerHost: 1000,
	}
	d.Host.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       Patience(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get asks a service, as SERVICE or TAG---SERVICE, for a path.
func (d *Daemon) Get(service, path string, header ...string) Answer {
	d.Host.Helper()
	return d.Ask(d.Requests(), http.MethodGet, service, path, nil, header...)
}

// Ask sends a request to a service. Header holds names and values in turn.
func (d *Daemon) Ask(c *http.Client, method, service, path string, body io.Reader, header ...string) Answer {
	d.Host.Helper()
	r, err := http.NewRequest(method, "http://"+service+".run.localhost"+path, body)
	if err != nil {
		d.Host.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return Do(c, r)
}

// Do sends a request.
func Do(c *http.Client, r *http.Request) Answer {
	begin := time.Now()
	resp, err := c.Do(r)
	if err != nil {
		return Answer{Err: err, Took: time.Since(begin)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(text), time.Since(begin), err, resp.Proto}
}

// Is fails the test unless the answer has a status and every part of it.
func (a Answer) Is(h *Host, code int, parts ...string) Answer {
	h.Helper()
	if a.Err != nil || a.Code != code {
		h.Errorf("%d %v after %v, want %d\n%s", a.Code, a.Err, a.Took, code, Clip(a.Body))
	}
	for _, p := range parts {
		if !strings.Contains(a.Body, p) {
			h.Errorf("lacks %q:\n%s", p, Clip(a.Body))
		}
	}
	return a
}

// Decode reads an answer in JSON.
func (a Answer) Decode(h *Host, into any) {
	h.Helper()
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		h.Fatalf("%v in\n%s", err, Clip(a.Body))
	}
}
