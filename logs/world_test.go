package logs

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
)

// patience is how long a test waits for what should take an instant.
const patience = 30 * time.Second

// world is a control plane with fake instances that have logs, and a server of
// these.
type world struct {
	*controltest.World
	t      *testing.T
	dir    string
	logs   *Logs
	server *httptest.Server

	// services are what the control plane is made to say about services.
	services fakeServices

	mu      sync.Mutex
	writers map[string]*logfile.Writer // by instance; guarded by mu
	begun   chan string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: controltest.New(t), t: t, dir: t.TempDir(), writers: make(map[string]*logfile.Writer), begun: make(chan string, 1000)}
	w.logs = New(w.Control, w.dir)
	w.logs.services, w.logs.pools = &w.services, &w.services
	mux := http.NewServeMux()
	mux.Handle("GET "+StreamPath, w.logs.Stream())
	mux.Handle("POST "+ListPath, w.logs.List())
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

// play has instances print text, and exit with a code or, if that is negative,
// go on.
func (w *world) play(print func(spec rruntime.Spec, out io.Writer) (exit int)) {
	w.Instances.Play(func(spec rruntime.Spec) controltest.Script {
		writer := logfile.NewWriter(logfile.Path(w.dir, spec.ID), logfile.MinLimit)
		w.mu.Lock()
		w.writers[spec.ID] = writer
		w.mu.Unlock()
		code := print(spec, writer.Stream(logfile.Stdout))
		w.begun <- spec.ID
		if code < 0 {
			return controltest.Script{Hold: true}
		}
		if err := writer.Close(); err != nil {
			w.t.Error(err)
		}
		return controltest.Script{Exit: contract.Exit{Code: code}}
	})
}

// writer is that of an instance.
func (w *world) writer(id string) *logfile.Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writers[id]
}

// run runs a job and returns the execution's full name.
func (w *world) run(job string) string {
	w.t.Helper()
	x, _, err := w.Control.RunJob(w.t.Context(), &runpb.RunJobRequest{Name: job})
	if err != nil {
		w.t.Fatal(err)
	}
	return x.GetName()
}

// get asks for a stream, whole.
func (w *world) get(path string) []Entry {
	w.t.Helper()
	var all []Entry
	for e := range w.open(w.t.Context(), path) {
		all = append(all, e)
	}
	return all
}

// open asks for a stream.
func (w *world) open(ctx context.Context, path string) <-chan Entry {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+StreamPath+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.server.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		w.t.Fatalf("%s: %s %s", path, resp.Status, body)
	}
	entries := make(chan Entry)
	go func() {
		defer close(entries)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			var e Entry
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				w.t.Errorf("%s: %v", lines.Bytes(), err)
				return
			}
			entries <- e
		}
		if err := lines.Err(); err != nil && ctx.Err() == nil {
			w.t.Errorf("%s: %v", path, err)
		}
	}()
	return entries
}

// receive is the next entry of a stream.
func (w *world) receive(entries <-chan Entry) Entry {
	w.t.Helper()
	select {
	case e, ok := <-entries:
		if !ok {
			w.t.Fatal("the stream is over")
		}
		return e
	case <-time.After(patience):
		w.t.Fatal("nothing comes")
	}
	return Entry{}
}

// text is the text of an entry, "" if it has none.
func text(e Entry) string {
	if e.TextPayload == nil {
		return ""
	}
	return *e.TextPayload
}

// texts are the texts of entries.
func texts(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(text(e) + "\n")
	}
	return b.String()
}
