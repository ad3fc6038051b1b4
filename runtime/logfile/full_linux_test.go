package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/internal/testenv"
)

// A disk that is full costs the instance its lines, counted to the byte, and
// nothing else; when there is room again the log says what is missing.
// contract: LOG-11 ATK-37
func TestWriterOutlivesAFullDisk(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	dir := testenv.Tmpfs(t, 512<<10)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 400<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.log")
	w := NewWriter(path, 1<<20)
	out := w.Stream(Stdout)
	const before, size = 10_000, 50
	for i := range before {
		fmt.Fprintf(out, "%0*d\n", size, i)
	}
	lost := w.Dropped()
	if lost.Entries == 0 {
		t.Fatal("the disk was never full")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(out, "room again")
	closeWriter(t, w)

	all := entries(t, path) // fails where an entry is torn
	kept := strings.Split(strings.TrimSuffix(printed(all, Stdout), "\n"), "\n")
	for i, line := range kept[:len(kept)-1] {
		if line != fmt.Sprintf("%0*d", size, i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	if n := int64(len(kept) - 1); n+lost.Entries != before || lost.Bytes != lost.Entries*size {
		t.Errorf("kept %d, lost %+v, wrote %d of %d bytes", n, lost, before, size)
	}
	want := fmt.Sprintf("%d entries (%d bytes) of output were lost here: no space left on device\n", lost.Entries, lost.Bytes)
	if got := printed(all, System); got != want {
		t.Errorf("note is %q, want %q", got, want)
	}
	if last := string(all[len(all)-1].Text); last != "room again" {
		t.Errorf("last entry is %q", last)
	}
}

// contract: ATK-37
// The same with batches that are cut in the middle by the end of the disk, and
// files that cannot be rotated for want of room.
func TestWriterKeepsWholeEntriesOfABatchThatDoesNotFit(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	dir := testenv.Tmpfs(t, 100<<10)
	path := filepath.Join(dir, "a.log")
	w := NewWriter(path, 128<<10)
	out := w.Stream(Stdout)
	chunk := strings.Repeat(strings.Repeat("x", 99)+"\n", 500)
	const chunks = 40
	for range chunks {
		fmt.Fprint(out, chunk)
	}
	closeWriter(t, w)
	all := entries(t, path) // fails where an entry is torn
	if len(all) == 0 || w.Dropped().Entries == 0 {
		t.Errorf("%d entries kept, dropped %+v", len(all), w.Dropped())
	}
}
