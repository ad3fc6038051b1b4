package logs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/runtime/logfile"
)

// remaining are the texts of all lines that r has now.
func remaining(t *testing.T, r *reader) (all []string) {
	t.Helper()
	for {
		l, ok, err := r.take()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, string(l.Text))
	}
}

func TestReaderGoesOnThroughRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	w := logfile.NewWriter(path, logfile.MinLimit)
	out := w.Stream(logfile.Stdout)
	r := &reader{path: path}
	if got := remaining(t, r); got != nil {
		t.Errorf("no log: %v", got)
	}
	n := 0
	for range 200 {
		begin := n
		for range 50 { // far less than a file
			fmt.Fprintf(out, "%d %s\n", n, strings.Repeat("x", 100))
			n++
		}
		for _, text := range remaining(t, r) {
			if !strings.HasPrefix(text, fmt.Sprintf("%d ", begin)) {
				t.Fatalf("got %.20s, want %d", text, begin)
			}
			begin++
		}
		if begin != n {
			t.Fatalf("got %d lines, want %d", begin, n)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReaderTellsWhatIsGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	w := logfile.NewWriter(path, logfile.MinLimit)
	out := w.Stream(logfile.Stdout)
	r := &reader{path: path}
	fmt.Fprintln(out, "first")
	if got := remaining(t, r); len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	const n = 3000
	for i := range n {
		fmt.Fprintf(out, "%d %s\n", i, strings.Repeat("x", 100))
	}
	got := remaining(t, r)
	if !strings.HasSuffix(got[0], "bytes of the log are gone: they were more than a log holds") {
		t.Errorf("got %q first", got[0])
	}
	for i, text := range got[1:] {
		if want := n - len(got) + 1 + i; !strings.HasPrefix(text, fmt.Sprintf("%d ", want)) {
			t.Fatalf("got %.20s, want %d", text, want)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// contract: LOG-10
func TestReaderJoinsLongLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	w := logfile.NewWriter(path, 16<<20)
	out, other := w.Stream(logfile.Stdout), w.Stream(logfile.Stderr)
	whole := bytes.Repeat([]byte("long"), logfile.MaxLine/4)
	_, _ = out.Write(whole[:100_000])
	_, _ = other.Write([]byte("between\n"))
	_, _ = out.Write(append(whole[100_000:], '\n'))
	_, _ = out.Write(append(bytes.Repeat([]byte("y"), 4*logfile.MaxLine), '\n'))
	_, _ = out.Write([]byte("after\nopen"))
	r := &reader{path: path}
	got := remaining(t, r)
	if len(got) < 7 || got[0] != "between" || got[1] != string(whole) || got[len(got)-1] != "after" {
		t.Fatalf("%d lines", len(got))
	}
	if long := strings.Join(got[2:len(got)-1], ""); long != strings.Repeat("y", 4*logfile.MaxLine) {
		t.Errorf("the longest line has %d bytes", len(long))
	}
	for _, text := range got {
		if len(text) > logfile.MaxLine {
			t.Errorf("a line of %d bytes", len(text))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := remaining(t, r); len(got) != 1 || got[0] != "open" {
		t.Errorf("after the end: %q", got)
	}
}

// What a crash leaves of an entry is passed over; a line that was never ended
// is one once the log is over.
func TestReaderOfATornLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	at := time.Unix(0, 0)
	part := logfile.Entry{Time: at, Stream: logfile.Stdout, Partial: true, Text: []byte("half ")}
	line := logfile.Entry{Time: at, Stream: logfile.Stderr, Text: []byte("whole")}
	text := "2026-11-21T10:00:00 torn\n" + string(line.Append(part.Append(nil))) + "2026-11-21T10:00:00.123"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &reader{path: path}
	if got := remaining(t, r); len(got) != 1 || got[0] != "whole" {
		t.Errorf("got %q", got)
	}
	if l, ok := r.flush(); !ok || string(l.Text) != "half " {
		t.Errorf("left is %q, %v", l.Text, ok)
	}
}
