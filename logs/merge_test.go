package logs

import (
	"os"
	"strings"
	"testing"
	"time"

	"runnel/runtime/logfile"
)

// written is a log that is over, with lines at given seconds: "5 text".
func written(t *testing.T, dir, id string, lines ...string) *log {
	t.Helper()
	var text []byte
	for _, l := range lines {
		second, rest, _ := strings.Cut(l, " ")
		d, err := time.ParseDuration(second + "s")
		if err != nil {
			t.Fatal(err)
		}
		text = logfile.Entry{Time: time.Unix(0, 0).Add(d), Stream: logfile.Stdout, Text: []byte(rest)}.Append(text)
	}
	if err := os.WriteFile(logfile.Path(dir, id), text, 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLog(dir, &origin{project: "local"}, id, 0, 0)
	l.over, l.until = true, forever
	return l
}

func TestMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := written(t, dir, "a", "1 a1", "4 a2", "2 a3 after the clock was set back", "5 a4")
	b := written(t, dir, "b", "1 b1", "3 b2", "4.5 b3", "9 b4")
	late := written(t, dir, "c", "6 c1")
	late.from = time.Unix(5, 0)
	empty := newLog(dir, &origin{project: "local"}, "d", 0, 0)
	empty.over = true
	b.notes = []note{{time.Unix(2, 0), severityInfo, "note 2", false}, {time.Unix(20, 0), severityInfo, "note 20", false}}
	m := &merge{task: -1}
	m.wait([]*log{late, b, empty, a})
	var got []string
	ids := make(map[string]bool)
	last := firstKey
	for {
		l, err := m.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l == nil {
			break
		}
		if !last.before(l.place) {
			t.Errorf("%+v stands after %+v", l.place, last)
		}
		last = l.place
		e, err := m.take(l)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, text(e))
		if ids[e.InsertID] {
			t.Errorf("%s is there twice", e.InsertID)
		}
		ids[e.InsertID] = true
	}
	const want = "a1 b1 note 2 b2 a2 a3 after the clock was set back b3 a4 c1 b4 note 20"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if !m.over() {
		t.Error("it is not over")
	}
}

// A line that was never ended is one once its log is over, not before.
func TestLineWithoutEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	part := logfile.Entry{Time: time.Unix(1, 0), Stream: logfile.Stdout, Partial: true, Text: []byte("half")}
	if err := os.WriteFile(logfile.Path(dir, "a"), part.Append(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLog(dir, &origin{project: "local"}, "a", 0, 0)
	if ok, err := l.next(); ok || err != nil {
		t.Errorf("before: %v, %v", ok, err)
	}
	l.over = true
	if ok, err := l.next(); !ok || err != nil {
		t.Fatalf("after: %v, %v", ok, err)
	}
	if got := text(l.take()); got != "half" {
		t.Errorf("got %q", got)
	}
}
