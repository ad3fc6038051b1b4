package logs

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	sizes := []size{
		{"new-1-0-0", 10, at(90)}, {"new-1-1-0", 10, at(50)},
		{"old-1-1-0", 10, at(20)}, {"old-1-0-0", 10, at(30)},
		{"live-1-0-0", 10, at(1)}, {"live-1-0-1", 10, at(2)}, {"live-1-1-0", 10, at(1)},
	}
	running := map[string]bool{"live-1": true}
	ended := map[string]bool{"live-1-0-0": true, "new-1-0-0": true}
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
		for _, s := range choose(slices.Clone(sizes), running, ended, c.need) {
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
