package logfile

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// chunk is what a pipe delivers at a time.
const chunk = 16 << 10

// spend writes n chunks made of line and returns how long that took by the
// clock of the test.
func spend(t *testing.T, out io.Writer, line string, n int) time.Duration {
	t.Helper()
	text := []byte(strings.Repeat(line, chunk/len(line)))
	start := time.Now()
	for range n {
		if took, err := out.Write(text); took != len(text) || err != nil {
			t.Fatalf("Write = %d, %v", took, err)
		}
	}
	return time.Since(start)
}

// contract: LOG-11
func TestWriterBoundsTheRateOfEntries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what        string
		line        string
		chunks      int
		least, most time.Duration
	}{
		{"a burst", "\n", 6, 0, 0},
		{"empty lines", "\n", 106, 1600 * time.Millisecond, 1640 * time.Millisecond}, // 1,736,704 entries
		// The clock stands still while the test writes: 99 MB in no time.
		{"long lines", strings.Repeat("x", 999) + "\n", 6200, 0, 0},
		{"no lines at all", strings.Repeat("x", chunk), 600, 0, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := NewWriter(filepath.Join(t.TempDir(), "a.log"), MinLimit)
				took := spend(t, w.Stream(Stdout), c.line, c.chunks)
				if took < c.least || took > c.most {
					t.Errorf("took %v, want between %v and %v", took, c.least, c.most)
				}
				closeWriter(t, w)
			})
		})
	}
}

// The allowance is the instance's, not a stream's, and comes back with time.
func TestStreamsShareTheirAllowance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(filepath.Join(t.TempDir(), "a.log"), MinLimit)
		out, err := w.Stream(Stdout), w.Stream(Stderr)
		if took := spend(t, out, "\n", 6); took > 0 {
			t.Errorf("the burst took %v", took)
		}
		if took := spend(t, err, "\n", 1); took == 0 {
			t.Error("the other stream does not wait")
		}
		time.Sleep(time.Second)
		if took := spend(t, out, "\n", 6); took > 0 {
			t.Errorf("after a second of quiet the burst took %v", took)
		}
		closeWriter(t, w)
	})
}

// One Write is never held for long, however much it brings; who brings much
// again waits again, and who has waited is quits.
func TestWriteWaitsALittleAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := NewWriter(filepath.Join(t.TempDir(), "a.log"), MinLimit)
		out := w.Stream(Stdout)
		for range 3 {
			start := time.Now()
			out.Write(bytes.Repeat([]byte{'\n'}, 500_000))
			if took := time.Since(start); took != maxWait {
				t.Errorf("took %v, want %v", took, maxWait)
			}
		}
		if took := spend(t, out, strings.Repeat("x", chunk-1)+"\n", 1); took != entryCost {
			t.Errorf("one line took %v", took)
		}
		closeWriter(t, w)
	})
}

func TestCloseWakesWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.log")
		w := NewWriter(path, 32<<20)
		out := w.Stream(Stdout)
		done := make(chan struct{})
		go func() {
			defer close(done)
			out.Write(bytes.Repeat([]byte{'\n'}, 200_000))
		}()
		synctest.Wait() // the writer waits now
		start := time.Now()
		fmt.Fprint(w.Stream(System), "not held up")
		closeWriter(t, w)
		<-done
		if took := time.Since(start); took > 0 {
			t.Errorf("closed after %v", took)
		}
		if all := entries(t, path); len(all) != 200_001 || w.Dropped().Entries > 0 {
			t.Errorf("%d entries, dropped %+v", len(all), w.Dropped())
		}
	})
}
