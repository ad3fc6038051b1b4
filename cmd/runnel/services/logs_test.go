package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api/wire"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/cmd/runnel/daemon"
	"runnel/control/controltest"
)

const printed = `{"timestamp":"2026-11-21T10:00:00.5Z","severity":"DEFAULT","textPayload":"hello <you>"}
{"timestamp":"2026-11-21T10:00:01Z","severity":"INFO","httpRequest":{"requestMethod":"GET","requestUrl":"http://hello.run.localhost/","status":200,"latency":"0.012s"}}
`

// contract: CLI-4
func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --revision-suffix v1")
	var mu sync.Mutex
	var asked string // guarded by mu
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		asked = s
	}
	socket := clitest.Socket(t)
	t.Cleanup(w.Listen("unix", socket, wire.Config{Handlers: map[string]http.Handler{
		"GET /logs/v1/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			note(r.URL.Path + "?" + r.URL.Query().Encode())
			_, _ = io.WriteString(w, printed)
		}),
		"POST /v2/entries:list": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var request struct{ Filter string }
			if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
				t.Error(err)
			}
			note(request.Filter)
			fmt.Fprintf(w, `{"entries":[%s]}`, strings.Split(printed, "\n")[0])
		}),
	}}))
	w.Host = socket
	const service = "/logs/v1/projects/local/locations/us-central1/services/hello"
	const text = "2026-11-21 10:00:00 hello <you>\n2026-11-21 10:00:01 GET 200 http://hello.run.localhost/ 0.012s\n"
	const about = ` AND resource.type = "cloud_run_revision" AND resource.labels.service_name = "hello" AND resource.labels.location = "us-central1"`
	for _, c := range []struct{ line, request, want string }{
		{"services logs hello", service + ":stream?", text},
		{"services logs read hello --limit 5", service + ":stream?limit=5", text},
		{"services logs tail hello", service + ":stream?follow=true", text},
		{"services logs hello -f --system", service + ":stream?follow=true&system=true", text},
		{"services logs hello --revision hello-v1", service + "/revisions/hello-v1:stream?", text},
		{"services logs hello --format json", service + ":stream?", printed},
		{"services logs hello --log-filter severity>=ERROR", "(severity>=ERROR)" + about, "2026-11-21 10:00:00 hello <you>\n"},
		{"services logs hello --revision hello-v1 --log-filter x:y", "(x:y)" + about + ` AND resource.labels.revision_name = "hello-v1"`, "2026-11-21 10:00:00 hello <you>\n"},
	} {
		if got := w.Must(c.line); got != c.want || asked != c.request {
			t.Errorf("runnel %s\n%s%s\nwant\n%s%s", c.line, got, asked, c.want, c.request)
		}
	}
}

// What a signal ends is the command, not the deploy.
func TestInterruptedDeployGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
	signals := make(chan os.Signal, 1)
	var said clitest.Transcript
	done := make(chan clitest.Outcome)
	go func() {
		done <- w.In(cli.Env{Signals: signals, Stderr: &said, Screen: true}, strings.Fields("deploy hello --image busybox --no-allow-unauthenticated")...)
	}()
	w.Until("a revision that is being created", func() bool {
		return strings.Contains(said.String(), "Setting IAM Policy...") && strings.Contains(said.String(), "+ Setting")
	})
	signals <- syscall.SIGINT
	got := <-done
	if got.Code != 130 || !strings.HasSuffix(said.String(), "Aborted.\nService [hello] goes on deploying without this command.\n\nTo see how it is doing, use:\nrunnel services describe hello\n") {
		t.Errorf("exit %d\n%s", got.Code, said.String())
	}
	w.Until("a service that is ready", func() bool {
		w.Fleet.Release() // the trial may not have begun before
		return w.service("hello").GetLatestReadyRevision() != ""
	})
}

// contract: CLI-8
func TestStagesTurnOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.In(cli.Env{Screen: true, Unicode: true}, strings.Fields("deploy hello --image busybox --allow-unauthenticated")...)
	last := got.Stderr[strings.LastIndex(got.Stderr, "\x1b[4A"):]
	last = strings.ReplaceAll(strings.TrimPrefix(last, "\x1b[4A"), "\r\x1b[K", "")
	if want := "✓ Deploying new service...\n  ✓ Creating Revision...\n  ✓ Routing traffic...\n  ✓ Setting IAM Policy...\nDone.\n"; !strings.HasPrefix(last, want) {
		t.Errorf("got\n%swant\n%s", last, want)
	}
}

// contract: CLI-4
func TestProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --tag next")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host+" "+r.Header.Get("X-Serverless-Authorization"))
	}))
	t.Cleanup(service.Close)
	socket := clitest.Socket(t)
	t.Cleanup(w.Listen("unix", socket, wire.Config{Handlers: map[string]http.Handler{
		"GET " + daemon.SettingsPath: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"ingress":%q}`, service.Listener.Addr())
		}),
		"GET " + daemon.IdentityPath: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "for "+r.URL.Query().Get("audience"))
		}),
	}}))
	w.Host = socket
	for flags, want := range map[string]string{
		"":               "hello.run.localhost Bearer for http://hello.run.localhost",
		" --tag next":    "next---hello.run.localhost Bearer for http://hello.run.localhost",
		" --token given": "hello.run.localhost Bearer given",
	} {
		signals := make(chan os.Signal, 1)
		var said clitest.Transcript
		done := make(chan clitest.Outcome)
		go func() {
			done <- w.In(cli.Env{Signals: signals, Stderr: &said}, strings.Fields("services proxy hello --port 0"+flags)...)
		}()
		w.Until("a proxy", func() bool { return strings.Contains(said.String(), " proxies to ") })
		_, after, _ := strings.Cut(said.String(), "region [us-central1]\n")
		address, _, _ := strings.Cut(after, " ")
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); string(body) != want {
			t.Errorf("%s: the service saw %s, want %s (%v)", flags, body, want, err)
		}
		signals <- syscall.SIGINT
		if got := <-done; got.Code != 130 {
			t.Errorf("%s: exit %d\n%s", flags, got.Code, said.String())
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for line, want := range map[string]string{
		"services proxy hello --port " + port: "--port " + port + ": is in use already: choose another",
		"services proxy hello --tag none":     "--tag none: service [hello] has no such tag",
	} {
		if got := w.Do(line); got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	w.Must("services update hello --no-default-url")
	if got := w.Do("services proxy hello"); got.Code != 2 || !strings.Contains(got.Stderr, "has no default URL") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}
