package workerpools

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api/wire"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/control/controltest"
)

// contract: WP-8, CLI-3
func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1")
	var mu sync.Mutex
	var asked string // guarded by mu
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		asked = s
	}
	const printed = `{"timestamp":"2026-11-21T10:00:00.5Z","severity":"DEFAULT","textPayload":"took 3"}` + "\n"
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
			fmt.Fprintf(w, `{"entries":[%s]}`, printed)
		}),
	}}))
	w.Host = socket
	const pool = "/logs/v1/projects/local/locations/us-central1/workerPools/puller"
	const about = ` AND resource.type = "cloud_run_worker_pool" AND resource.labels.worker_pool_name = "puller" AND resource.labels.location = "us-central1"`
	for line, request := range map[string]string{
		"worker-pools logs puller":                                       pool + ":stream?",
		"worker-pools logs read puller --limit 5":                        pool + ":stream?limit=5",
		"worker-pools logs tail puller":                                  pool + ":stream?follow=true",
		"worker-pools logs puller -f --system":                           pool + ":stream?follow=true&system=true",
		"worker-pools logs puller --revision puller-v1":                  pool + "/revisions/puller-v1:stream?",
		"worker-pools logs puller --log-filter severity>=ERROR":          "(severity>=ERROR)" + about,
		"worker-pools logs puller --revision puller-v1 --log-filter x:y": "(x:y)" + about + ` AND resource.labels.revision_name = "puller-v1"`,
	} {
		if got := w.Must(line); got != "2026-11-21 10:00:00 took 3\n" || asked != request {
			t.Errorf("runnel %s\n%s%s\nwant\n%s", line, got, asked, request)
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
		done <- w.In(cli.Env{Signals: signals, Stderr: &said, Screen: true}, strings.Fields("worker-pools deploy puller --image busybox")...)
	}()
	w.Until("a revision that is being created", func() bool { return strings.Contains(said.String(), "Deploying the worker pool.") })
	signals <- syscall.SIGINT
	got := <-done
	if got.Code != 130 || !strings.HasSuffix(said.String(), "Aborted.\nWorker pool [puller] goes on deploying without this command.\n\nTo see how it is doing, use:\nrunnel worker-pools describe puller\n") {
		t.Errorf("exit %d\n%s", got.Code, said.String())
	}
	w.Until("a worker pool that is ready", func() bool {
		w.Fleet.Release() // the trial may not have begun before
		return w.pool("puller").GetLatestReadyRevision() != ""
	})
}

// contract: CLI-8
func TestStagesTurnOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.In(cli.Env{Screen: true, Unicode: true}, strings.Fields("worker-pools deploy puller --image busybox")...)
	last := got.Stderr[strings.LastIndex(got.Stderr, "\x1b[2A"):]
	last = strings.ReplaceAll(strings.TrimPrefix(last, "\x1b[2A"), "\r\x1b[K", "")
	if want := "✓ Deploying new worker pool...\n  ✓ Creating Revision...\nDone.\n"; !strings.HasPrefix(last, want) {
		t.Errorf("got\n%swant\n%s", last, want)
	}
}
