package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// envWriter has the path of the file that this binary is to write to until it
// is killed, instead of running tests.
const envWriter = "RUNNEL_TEST_STORE_WRITER"

// writers is how many goroutines write at the same time. The first only
// appends.
const writers = 4

// writer writes numbered records for ever, in several goroutines, and says on
// its third descriptor which are durable: "GOROUTINE NUMBER".
func writer(path string) int {
	s, err := Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	acks := os.NewFile(3, "acknowledged")
	var wg sync.WaitGroup
	for g := range writers {
		next := 0
		_ = s.View(func(tx *Tx) error { next = count(tx, g); return nil })
		wg.Go(func() {
			for n := next; ; n++ {
				if g == 0 {
					ticket := s.Append(func(tx *Tx) { number(tx, g, n) })
					if n%100 == 99 {
						<-ticket.Done()
						fmt.Fprintln(acks, g, n)
					}
					continue
				}
				if err := s.Update(context.Background(), func(tx *Tx) error { number(tx, g, n); return nil }); err != nil {
					panic(err)
				}
				fmt.Fprintln(acks, g, n)
			}
		})
	}
	wg.Wait()
	return 0
}

// number writes record n of a goroutine: in two places, and sometimes a big one.
func number(tx *Tx, g, n int) {
	tx.PutRow(fmt.Sprint("rows-", g), uint32(n), fmt.Append(nil, n))
	tx.Put(kindOf(g), fmt.Sprintf("%08d", n), epoch().Add(time.Duration(n)), padded(n))
	if n%1000 == 999 {
		tx.DeleteSeries(fmt.Sprint("rows-", g)) // its pages are used again
		for m := range n + 1 {
			tx.PutRow(fmt.Sprint("rows-", g), uint32(m), fmt.Append(nil, m))
		}
	}
}

func kindOf(g int) Kind { return Kind(fmt.Sprint("kind-", g)) }

// padded is the value of record n.
func padded(n int) []byte { return append(fmt.Append(nil, n), make([]byte, n%7*1000)...) }

// count counts the records of a goroutine.
func count(tx *Tx, g int) (n int) {
	for range tx.Newest(kindOf(g), "") {
		n++
	}
	return n
}

func TestKilledWriterLosesNothingThatWasDurable(t *testing.T) {
	t.Parallel()
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	dir := t.TempDir()
	for round := range rounds {
		path := filepath.Join(dir, fmt.Sprint(round/10, ".db")) // ten lives each
		acked := writeAndKill(t, path, time.Duration(rand.IntN(60))*time.Millisecond)
		s, err := Open(path)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if s.Recovery() != nil {
			t.Errorf("round %d: %+v", round, s.Recovery())
		}
		for g := range writers {
			verifyNumbers(t, s, g, acked[g])
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeAndKill runs a writer, kills it some time after its first word, and
// returns the last record of each goroutine that it has acknowledged, or -1.
func writeAndKill(t *testing.T, path string, after time.Duration) (acked [writers]int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envWriter+"="+path)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // the child's now
	for g := range acked {
		acked[g] = -1
	}
	var kill *time.Timer
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		var g, n int
		if _, err := fmt.Sscan(lines.Text(), &g, &n); err != nil {
			t.Fatal(err)
		}
		acked[g] = max(acked[g], n)
	}
	if err := cmd.Wait(); kill == nil {
		t.Fatalf("the writer has written nothing: %v", err)
	}
	return acked
}

// verifyNumbers checks that the records of a goroutine are there, from the
// first to at least the last acknowledged, and whole.
func verifyNumbers(t *testing.T, s *Store, g, acked int) {
	t.Helper()
	view(t, s, func(tx *Tx) {
		n := count(tx, g)
		if n <= acked {
			t.Errorf("goroutine %d: %d records, though number %d was acknowledged", g, n, acked)
		}
		i := n
		for e := range tx.Newest(kindOf(g), "") {
			i--
			if e.Name != fmt.Sprintf("%08d", i) || string(e.Value()) != string(padded(i)) {
				t.Fatalf("goroutine %d: record %d is %s: %.20q", g, i, e.Name, e.Value())
			}
		}
		rows := 0
		for r, value := range tx.Rows(fmt.Sprint("rows-", g)) {
			if int(r) != rows || string(value) != fmt.Sprint(r) {
				t.Fatalf("goroutine %d: row %d is %d: %q", g, rows, r, value)
			}
			rows++
		}
		if rows != n {
			t.Errorf("goroutine %d: %d rows, %d records", g, rows, n)
		}
	})
}
