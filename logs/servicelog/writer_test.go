package servicelog

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/ingress"
	"runnel/runtime/logfile"
	"runnel/scheduler/serving"
)

const (
	hello = "projects/local/locations/us-central1/services/hello"
	other = "projects/local/locations/us-central1/services/other"
	mill  = "projects/local/locations/us-central1/workerPools/hello"
)

// start runs a writer until stop, or the test's end.
func start(t testing.TB, dir string) (w *Writer, stop func()) {
	t.Helper()
	w = New(dir, logfile.MinLimit)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return w, stop
}

// texts are those of the entries of a log, without what logfile says itself.
func texts(t *testing.T, dir, service string, kind Kind) (all []string) {
	t.Helper()
	path := logfile.Path(dir, ID(service, kind))
	for _, name := range []string{logfile.Old(path), path} {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			e, err := logfile.Parse(lines.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if _, mark := logfile.Start(e); !mark {
				all = append(all, string(e.Text))
			}
		}
	}
	return all
}

// entry is a request of hello.
func entry(n int) *ingress.Entry {
	return &ingress.Entry{
		Time: time.Unix(1_700_000_000, 0), Latency: 123 * time.Millisecond, Service: hello, Revision: "hello-00001-abc",
		Instance: "00ab", Method: "GET", URL: fmt.Sprintf("http://hello.run.localhost:8080/%d?a=b&c=d", n),
		Protocol: "HTTP/1.1", UserAgent: "curl/8", RemoteIP: "127.0.0.1", ServerIP: "127.0.0.1",
		Status: 200, RequestSize: 100, ResponseSize: 200, Severity: "INFO",
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, owner := range []string{hello, other, mill} {
		for _, kind := range Kinds(owner) {
			id := ID(owner, kind)
			if got, ok := Owner(id); !ok || got != owner || strings.Contains(id, "/") || seen[id] {
				t.Errorf("%s is of %q, %v", id, got, ok)
			}
			seen[id] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("%v: a worker pool has no log of requests", seen)
	}
	for _, id := range []string{"hello-abc", "etl-x-0-0", "a%2Fb", "a%zzb", "a%2Fb%2Fjobs%2Fc%2Fsystem"} {
		if got, ok := Owner(id); ok {
			t.Errorf("%s is of %q", id, got)
		}
	}
}

// A request that is longer than a line of a log would not be found in it any more.
func TestWhatAClientChoosesHidesNoRequest(t *testing.T) {
	t.Parallel()
	for _, char := range []string{"<", "&", `"`, `\`, "\t"} {
		e, long := entry(0), strings.Repeat(char, 2*maxText)
		e.URL, e.UserAgent, e.Referer, e.Method = long, long, long, long
		if text := line(nil, newRequest(e)); len(text) > logfile.MaxLine {
			t.Errorf("with %q: %d bytes", char, len(text))
		}
	}
}

// contract: LOG-2
func TestRequestsAreWrittenInTheirOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, stop := start(t, dir)
	for i := range 50 {
		w.Record(entry(i))
	}
	stop()
	w, stop = start(t, dir) // another process goes on
	for i := range 50 {
		w.Record(entry(50 + i))
	}
	w.Record(&ingress.Entry{URL: "of no service"})
	stop()
	got := texts(t, dir, hello, Requests)
	if len(got) != 100 {
		t.Fatalf("%d requests", len(got))
	}
	for i, text := range got {
		var r Request
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if want := newRequest(entry(i)); r.URL != want.URL || !r.Time.Equal(want.Time) || r.Latency != want.Latency || r.Status != 200 {
			t.Errorf("request %d: %+v", i, r)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%v", files)
	}
}

// contract: LOG-4
func TestEventsOutliveRequests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, stop := start(t, dir)
	w.Tell(serving.Line{Time: time.Unix(1, 0), Revision: hello + "/revisions/hello-00001-abc", Instance: "hello-x", Container: "web", Severity: "INFO", Text: "Starting new instance."})
	for i := range 2000 { // more than two files hold
		w.Record(entry(i))
	}
	stop()
	if got := texts(t, dir, hello, Requests); len(got) == 0 || len(got) >= 2000 {
		t.Errorf("%d requests are left", len(got))
	}
	got := texts(t, dir, hello, System)
	var e Event
	if len(got) != 1 || json.Unmarshal([]byte(got[0]), &e) != nil || e.Revision != "hello-00001-abc" || e.Instance != "hello-x" || e.Container != "web" || e.Text != "Starting new instance." {
		t.Errorf("%v, %+v", got, e)
	}
}

// Nobody waits for the disk; what does not fit is counted.
func TestAFullBufferDropsAndSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := New(dir, 64<<20) // nothing is written yet
	big := entry(0)
	big.URL = strings.Repeat("x", 60<<10)
	recorded := 0
	for range 1000 {
		w.Record(big)
		recorded++
	}
	for range maxLines + 5 {
		w.Tell(serving.Line{Revision: other + "/revisions/r", Text: "x"})
	}
	if w.pending.bytes > maxPending {
		t.Errorf("%d bytes wait", w.pending.bytes)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Run(ctx)
	kept := texts(t, dir, hello, Requests)
	for i, text := range kept {
		if len(text) > 17<<10 && i == 0 {
			t.Errorf("a request of %d bytes", len(text))
		}
	}
	system := texts(t, dir, hello, System)
	want := fmt.Sprintf("%d entries of requests or events were lost here", recorded-len(joined(kept)))
	if len(system) != 1 || !strings.Contains(system[0], want) {
		t.Errorf("%v, want %s", system, want)
	}
	if events := texts(t, dir, other, System); len(events) != maxLines+1 || !strings.Contains(events[maxLines], "5 entries") {
		t.Errorf("%d events", len(events))
	}
}

// joined are texts whose parts begin anew with a brace.
func joined(parts []string) (whole []string) {
	for _, p := range parts {
		if strings.HasPrefix(p, "{") {
			whole = append(whole, p)
		}
	}
	return whole
}

// contract: LOG-11
func TestRecordDoesNotWaitForTheDisk(t *testing.T) {
	t.Parallel()
	w, _ := start(t, t.TempDir())
	w.files.mu.Lock() // the disk stands still
	defer w.files.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100_000 {
			w.Record(entry(i))
			w.Tell(serving.Line{Revision: hello + "/revisions/r", Text: "x"})
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it waits")
	}
	if w.pending.bytes > maxPending || len(w.pending.lines) > maxLines {
		t.Errorf("%d bytes and %d lines wait", w.pending.bytes, len(w.pending.lines))
	}
}

// Logs are removed behind the writer's back when their service is gone.
func TestARemovedLogBeginsAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, stop := start(t, dir)
	w.Record(entry(1))
	for deadline := time.Now().Add(30 * time.Second); len(texts(t, dir, hello, Requests)) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing is written")
		}
	}
	if err := os.Remove(logfile.Path(dir, ID(hello, Requests))); err != nil {
		t.Fatal(err)
	}
	w.Record(entry(2)) // of a new service of that name
	stop()
	if got := texts(t, dir, hello, Requests); len(got) != 1 || !strings.Contains(got[0], "8080/2") {
		t.Errorf("%v", got)
	}
}

// BenchmarkRecord tells what a request costs whoever serves it, and what it
// costs together with the writing.
func BenchmarkRecord(b *testing.B) {
	w, stop := start(b, b.TempDir())
	e := entry(1)
	b.ReportAllocs()
	for b.Loop() {
		w.Record(e)
	}
	stop()
}

// BenchmarkFlush tells what the writing of a request costs, faster than package
// logfile lets it be done: see the CPU time.
func BenchmarkFlush(b *testing.B) {
	w := New(b.TempDir(), 16<<20)
	e := entry(1)
	n := 0
	for b.Loop() {
		w.Record(e)
		if n++; n%1000 == 0 {
			w.flush(pending{})
		}
	}
}
