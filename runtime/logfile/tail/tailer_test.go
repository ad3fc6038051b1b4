package tail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/runtime/logfile"
)

// deadline bounds every wait of these tests.
const deadline = 30 * time.Second

// lines collects what a follower hands on.
type lines struct {
	mu   sync.Mutex
	text map[string][]string // by stream
	all  chan struct{}       // one token per entry
}

func newLines() *lines {
	return &lines{text: make(map[string][]string), all: make(chan struct{}, 1_000_000)}
}

func (l *lines) emit(e logfile.Entry) {
	l.mu.Lock()
	l.text[e.Stream] = append(l.text[e.Stream], string(e.Text))
	l.mu.Unlock()
	l.all <- struct{}{}
}

func (l *lines) wait(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(deadline)
	for range n {
		select {
		case <-l.all:
		case <-timeout:
			t.Fatal("the entry did not come")
		}
	}
}

func (l *lines) stream(name string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text[name]
}

func openTailer(t *testing.T, dir string) *Tailer {
	t.Helper()
	tailer, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tailer.Close(); err != nil {
			t.Error(err)
		}
	})
	return tailer
}

// follow runs a follower; the function it returns ends the instance and waits.
func follow(t *testing.T, tailer *Tailer, id string, emit func(logfile.Entry)) func() {
	t.Helper()
	ended, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- tailer.Follow(context.Background(), id, ended, emit) }()
	return func() {
		t.Helper()
		close(ended)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(deadline):
			t.Fatal("the follower did not end")
		}
	}
}

// contract: LOG-1
func TestFollowHandsOnEntriesAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tailer := openTailer(t, dir)
	got := newLines()
	end := follow(t, tailer, "a", got.emit)
	w := logfile.NewWriter(logfile.Path(dir, "a"), 1<<20)
	for i := range 3 {
		fmt.Fprintf(w.Stream(logfile.Stdout), "line %d\n", i)
		got.wait(t, 1)
	}
	fmt.Fprint(w.Stream(logfile.Stderr), "no newline")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	end()
	if s := fmt.Sprint(got.stream(logfile.Stdout), got.stream(logfile.Stderr)); s != "[line 0 line 1 line 2] [no newline]" {
		t.Errorf("got %s", s)
	}
}

func TestFollowReadsALogThatIsComplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := logfile.NewWriter(logfile.Path(dir, "a"), 1<<20)
	fmt.Fprint(w.Stream(logfile.Stdout), "one\ntwo\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := newLines()
	follow(t, openTailer(t, dir), "a", got.emit)()
	if s := fmt.Sprint(got.stream(logfile.Stdout)); s != "[one two]" {
		t.Errorf("got %s", s)
	}
}

func TestFollowOfALogNeverWrittenIsEmpty(t *testing.T) {
	t.Parallel()
	got := newLines()
	follow(t, openTailer(t, t.TempDir()), "a", got.emit)()
	if len(got.all) != 0 {
		t.Errorf("got %v", got.text)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tailer := openTailer(t, t.TempDir())
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	err := tailer.Follow(ctx, "a", make(chan struct{}), func(logfile.Entry) {})
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// A follower that keeps up goes through every rotation without loss. The
// writer waits for it once per file; within a file it runs ahead.
func TestFollowLosesAndRepeatsNothingThroughRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tailer := openTailer(t, dir)
	got := newLines()
	end := follow(t, tailer, "a", got.emit)
	w := logfile.NewWriter(logfile.Path(dir, "a"), logfile.MinLimit)
	out := w.Stream(logfile.Stdout)
	rnd := rand.New(rand.NewPCG(3, 4))
	n := 0
	for range 60 {
		burst := 0
		for size := 0; size < logfile.MinLimit/2; burst++ {
			line := fmt.Sprintf("%d %s\n", n, strings.Repeat("x", rnd.IntN(900)))
			out.Write([]byte(line))
			size += len(line) + 40
			n++
		}
		got.wait(t, burst)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	end()
	all := got.stream(logfile.Stdout)
	for i, line := range all {
		if !strings.HasPrefix(line, fmt.Sprintf("%d ", i)) {
			t.Fatalf("line %d is %.20q", i, line)
		}
	}
	if len(all) != n || len(got.stream(logfile.System)) != 0 {
		t.Errorf("%d of %d lines, notes %q", len(all), n, got.stream(logfile.System))
	}
	if _, err := os.Stat(logfile.Old(logfile.Path(dir, "a"))); err != nil {
		t.Errorf("the log was never rotated: %v", err)
	}
}

// A follower that is outrun says how many bytes are missing, and what it hands
// on is still in order.
func TestFollowTellsWhatItMissed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tailer := openTailer(t, dir)
	got := newLines()
	release := make(chan struct{})
	end := follow(t, tailer, "a", func(e logfile.Entry) {
		got.emit(e)
		<-release // slow, until the writer is done
	})
	w := logfile.NewWriter(logfile.Path(dir, "a"), logfile.MinLimit)
	out := w.Stream(logfile.Stdout)
	fmt.Fprintln(out, "0 first")
	got.wait(t, 1)
	const n = 20_000
	for i := 1; i < n; i++ {
		fmt.Fprintf(out, "%d xxxxxxxxxxxxxxxxxxxx\n", i)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	close(release)
	end()
	notes := got.stream(logfile.System)
	if len(notes) != 1 || !strings.Contains(notes[0], "bytes of the log are gone") {
		t.Errorf("notes %q", notes)
	}
	last := -1
	all := got.stream(logfile.Stdout)
	for _, line := range all {
		var i int
		if _, err := fmt.Sscan(line, &i); err != nil || i <= last {
			t.Fatalf("%q after line %d", line, last)
		}
		last = i
	}
	if last != n-1 || len(all) == n {
		t.Errorf("%d lines, the last one %d", len(all), last)
	}
}

// contract: LOG-10
func TestFollowJoinsTheLineThatWasSplit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := logfile.NewWriter(logfile.Path(dir, "a"), 16<<20)
	out, errs := w.Stream(logfile.Stdout), w.Stream(logfile.Stderr)
	long := strings.Repeat("0123456789", 10_000)
	half := len(long) / 2
	fmt.Fprint(out, long[:half])
	fmt.Fprint(errs, long[:half])
	fmt.Fprintln(out, long[half:])
	fmt.Fprintln(errs, long[half:])
	huge := strings.Repeat("x", 3*logfile.MaxLine+1)
	fmt.Fprintln(out, huge)
	fmt.Fprint(out, "short\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var pieces []logfile.Entry
	follow(t, openTailer(t, dir), "a", func(e logfile.Entry) {
		e.Text = append([]byte(nil), e.Text...)
		pieces = append(pieces, e)
	})()
	var sizes []string
	for _, e := range pieces {
		sizes = append(sizes, fmt.Sprintf("%s %v %d", e.Stream, e.Partial, len(e.Text)))
	}
	want := "stdout false 100000, stderr false 100000, stdout true 262144, stdout true 262144, stdout true 262144, stdout false 1, stdout false 5"
	if s := strings.Join(sizes, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if string(pieces[0].Text) != long || string(pieces[1].Text) != long {
		t.Error("the long line changed")
	}
}

func TestFollowPassesOverWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := string(logfile.Entry{Time: time.Now(), Stream: logfile.Stdout, Text: []byte("good")}.Append(nil))
	data := "torn\n" + good + strings.Repeat("z", 3*readSize) + "\n" + good + "2026-11"
	if err := os.WriteFile(logfile.Path(dir, "a"), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	got := newLines()
	follow(t, openTailer(t, dir), "a", got.emit)()
	if s := fmt.Sprint(got.stream(logfile.Stdout)); s != "[good good]" {
		t.Errorf("got %s", s)
	}
}

func TestOneTailerServesManyFollowers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tailer := openTailer(t, dir)
	var wg sync.WaitGroup
	for i := range 200 {
		id := fmt.Sprintf("task-%d", i)
		got := newLines()
		end := follow(t, tailer, id, got.emit)
		wg.Go(func() {
			w := logfile.NewWriter(logfile.Path(dir, id), logfile.MinLimit)
			out := w.Stream(logfile.Stdout)
			for range 20 {
				fmt.Fprintln(out, id)
			}
			got.wait(t, 20)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			end()
			for _, line := range got.stream(logfile.Stdout) {
				if line != id {
					t.Errorf("%s got a line of %s", id, line)
				}
			}
		})
	}
	wg.Wait()
	if len(tailer.followers) != 0 {
		t.Errorf("%d followers are left", len(tailer.followers))
	}
}

// BenchmarkFollow reads a full log of 100-byte lines.
func BenchmarkFollow(b *testing.B) {
	dir := b.TempDir()
	w := logfile.NewWriter(logfile.Path(dir, "a"), 16<<20)
	text := []byte(strings.Repeat("x", 99) + "\n")
	out := w.Stream(logfile.Stdout)
	const n = 100_000
	for range n {
		out.Write(text)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	tailer, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer tailer.Close()
	ended := make(chan struct{})
	close(ended)
	b.SetBytes(n * 100)
	for b.Loop() {
		got := 0
		if err := tailer.Follow(context.Background(), "a", ended, func(logfile.Entry) { got++ }); err != nil || got != n {
			b.Fatal(got, err)
		}
	}
}
