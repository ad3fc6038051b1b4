package integration

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

// server is an image of the program that tests of services deploy.
func (h *host) server() string {
	h.Helper()
	return shared.image(h, "server", func() imagetest.Build {
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

// serveRequests starts a daemon that takes requests for services.
func (h *host) serveRequests(flags ...string) *daemon {
	h.Helper()
	address := freeAddress(h)
	d := h.serve(append(flags, "--ingress", address)...)
	d.ingress = address
	return d
}

// deploy deploys the test server, for everybody.
func (d *daemon) deploy(name string, flags ...string) result {
	d.h.Helper()
	args := []string{"deploy", name, "--image", d.h.server(), "--allow-unauthenticated", "--memory", "256Mi"}
	return d.cli(append(args, flags...)...)
}

// answer is what came back for a request.
type answer struct {
	code   int
	header http.Header
	body   string
	took   time.Duration
	err    error
	// protocol is what it came by, such as HTTP/1.1.
	protocol string
}

// requests is a client to which every host is the daemon's ingress.
func (d *daemon) requests() *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.ingress)
		},
		MaxIdleConnsPerHost: 1000,
	}
	d.h.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       patience(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get asks a service, as SERVICE or TAG---SERVICE, for a path.
func (d *daemon) get(service, path string, header ...string) answer {
	d.h.Helper()
	return d.ask(d.requests(), http.MethodGet, service, path, nil, header...)
}

// ask sends a request to a service. Header holds names and values in turn.
func (d *daemon) ask(c *http.Client, method, service, path string, body io.Reader, header ...string) answer {
	d.h.Helper()
	r, err := http.NewRequest(method, "http://"+service+".run.localhost"+path, body)
	if err != nil {
		d.h.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return do(c, r)
}

// do sends a request.
func do(c *http.Client, r *http.Request) answer {
	begin := time.Now()
	resp, err := c.Do(r)
	if err != nil {
		return answer{err: err, took: time.Since(begin)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), time.Since(begin), err, resp.Proto}
}

// is fails the test unless the answer has a status and every part of it.
func (a answer) is(h *host, code int, parts ...string) answer {
	h.Helper()
	if a.err != nil || a.code != code {
		h.Errorf("%d %v after %v, want %d\n%s", a.code, a.err, a.took, code, clip(a.body))
	}
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			h.Errorf("lacks %q:\n%s", p, clip(a.body))
		}
	}
	return a
}

// decode reads an answer in JSON.
func (a answer) decode(h *host, into any) {
	h.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		h.Fatalf("%v in\n%s", err, clip(a.body))
	}
}
