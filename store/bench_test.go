package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// submission is about what the record of an execution takes, in bytes.
const submission = 10 << 10

// BenchmarkSubmit alternates one Update of 10 KB with one synced write of the
// same bytes to a file of its own, and reports how the medians compare.
func BenchmarkSubmit(b *testing.B) {
	s := benchStore(b)
	dir := b.TempDir()
	value := make([]byte, submission)
	_, _ = rand.Read(value)
	var ours, theirs []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		err := s.Update(context.Background(), func(tx *Tx) error {
			tx.Put("executions", fmt.Sprintf("job-%08d", i), start, value)
			return nil
		})
		ours = append(ours, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		theirs = append(theirs, syncedWrite(b, filepath.Join(dir, fmt.Sprint(i)), value))
	}
	a, t := median(ours), median(theirs)
	b.ReportMetric(a.Seconds()*1000, "update-ms")
	b.ReportMetric(t.Seconds()*1000, "fsync-ms")
	b.ReportMetric(a.Seconds()/t.Seconds(), "ratio")
}

// BenchmarkWriters has eight goroutines write rows, each waiting for its own.
func BenchmarkWriters(b *testing.B) {
	s := benchStore(b)
	value := make([]byte, 200)
	var n atomic.Uint32
	b.SetParallelism(4) // times GOMAXPROCS
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			row := n.Add(1)
			if err := s.Update(context.Background(), func(tx *Tx) error {
				tx.PutRow("series", row, value)
				return nil
			}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(n.Load())/time.Since(start).Seconds(), "rows/s")
}

// BenchmarkAppend appends 10,000 rows and waits for the last.
func BenchmarkAppend(b *testing.B) {
	s := benchStore(b)
	value := make([]byte, 200)
	for b.Loop() {
		var last Ticket
		for n := range uint32(10_000) {
			last = s.Append(func(tx *Tx) { tx.PutRow("series", n, value) })
		}
		<-last.Done()
	}
	b.ReportMetric(1e4*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchStore(b *testing.B) *Store {
	s, err := Open(filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// syncedWrite is what durable means at the least.
func syncedWrite(b *testing.B, path string, value []byte) time.Duration {
	start := time.Now()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(value); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
