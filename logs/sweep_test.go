package logs

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/logs/servicelog"
	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	sizes := []size{
		{"new-1-0-0", 10, 0, at(90)}, {"new-1-1-0", 10, 0, at(50)},
		{"old-1-1-0", 10, 0, at(20)}, {"old-1-0-0", 10, 0, at(30)},
		{"live-1-0-0", 10, 0, at(1)}, {"live-1-0-1", 10, 0, at(2)}, {"live-1-1-0", 10, 0, at(1)},
	}
	known := standing{running: map[string]bool{"live-1": true}, ended: map[string]bool{"live-1-0-0": true}}
	for _, c := range []struct {
		need int64
		want string
	}{
		{0, ""},
		{1, "old-1-1-0"},
		{10, "old-1-1-0"},
		{11, "old-1-1-0 old-1-0-0"},
		{40, "old-1-1-0 old-1-0-0 new-1-1-0 new-1-0-0"},
		{1000, "old-1-1-0 old-1-0-0 new-1-1-0 new-1-0-0 live-1-0-0"},
	} {
		var got []string
		for _, s := range choose(slices.Clone(sizes), known, c.need) {
			got = append(got, s.instance)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%d bytes: %v, want %s", c.need, got, c.want)
		}
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	line := strings.Repeat("x", 999) + "\n"
	exit := 0
	w.play(func(_ rruntime.Spec, out io.Writer) int {
		for range 100 { // two files
			_, _ = io.WriteString(out, line)
		}
		return exit
	})
	job := w.Job("etl", 1)
	first, second := w.run(job), ""
	w.Ended(first)
	exit = -1
	<-w.begun
	second = w.run(job)
	running := <-w.begun
	w.Eventually("the second execution's log", func() bool { return len(w.get(second+":stream")) == 100 })

	if s, err := w.logs.Sweep(t.Context(), 1<<20); err != nil || s.Instances != 0 || s.Left < 200_000 {
		t.Errorf("with room enough: %+v, %v", s, err)
	}
	s, err := w.logs.Sweep(t.Context(), 150_000)
	if err != nil || s.Instances != 1 || s.Left > 150_000 {
		t.Errorf("with too little room: %+v, %v", s, err)
	}
	if s, err := w.logs.Sweep(t.Context(), 0); err != nil || s.Instances != 0 || s.Left == 0 {
		t.Errorf("with no room: %+v, %v", s, err)
	}
	if _, err := os.Stat(logfile.Path(w.dir, running)); err != nil {
		t.Error(err)
	}
	if got := texts(w.get(first + ":stream")); !strings.HasPrefix(got, "There is no log left of this execution") || strings.Count(got, "\n") != 1 {
		t.Errorf("left is %q", got)
	}
	if got := w.get(second + ":stream"); len(got) != 100 {
		t.Errorf("%d entries of the running execution", len(got))
	}
}

// contract: LOG-10
func TestSweepOfServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	service, revision, _ := w.serve("hello")
	for _, id := range []string{"hello-2", "hello-3"} {
		w.services.start(id, revision, "web")
	}
	long := strings.Repeat("x", 999)
	for _, id := range []string{"hello-1", "hello-1-1", "hello-2", "hello-3", "gone-1"} {
		for range 50 {
			w.print(id, logfile.Stdout, long)
		}
	}
	w.services.end("hello-2")
	out := servicelog.New(w.dir, logfile.MinLimit)
	for range 1000 { // two files
		out.Record(asked(service, 200))
	}
	out.Record(asked("projects/local/locations/us-central1/services/other", 200))
	ended, end := context.WithCancel(t.Context())
	end()
	out.Run(ended) // all is written when it returns
	requests := servicelog.ID(service, servicelog.Requests)
	path := logfile.Path(w.dir, requests)
	other := servicelog.ID("projects/local/locations/us-central1/services/other", servicelog.Requests)
	there := func(id string) bool {
		_, err := os.Stat(logfile.Path(w.dir, id))
		return err == nil
	}
	s, err := w.logs.Sweep(t.Context(), 1<<30)
	if err != nil || s.Instances != 1 || there(other) || !there(requests) || !there("gone-1") {
		t.Errorf("with room enough: %+v, %v", s, err)
	}
	if until := sweptUntil(w.dir); !until.IsZero() {
		t.Errorf("executions without output are said to have lost it, up to %v", until)
	}
	sum := s.Left
	if s, err := w.logs.Sweep(t.Context(), sum-1); err != nil || s.Instances != 1 || !there("hello-2") == !there("gone-1") {
		t.Errorf("with a little too much: %+v, %v", s, err)
	}
	if _, err := w.logs.Sweep(t.Context(), 0); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]bool{"hello-1": true, "hello-1-1": true, "hello-3": true, "hello-2": false, "gone-1": false} {
		if there(id) != want {
			t.Errorf("%s is there: %v", id, !want)
		}
	}
	if _, err := os.Stat(logfile.Old(path)); err == nil || !there(requests) {
		t.Errorf("of two files of requests: %v, %v", err, there(requests))
	}
	if all := w.get(service + ":stream"); len(all) <= 150 {
		t.Errorf("%d entries", len(all))
	}
}
