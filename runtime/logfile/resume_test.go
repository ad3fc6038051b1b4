package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Many writers, one after the other, make the log that one would have made.
func TestContinueGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	const lines = 100
	padding := strings.Repeat("x", 1000)
	var total int64
	for i := range lines {
		w := Continue(path, MinLimit)
		fmt.Fprintf(w.Stream(Stdout), "%d %s\n", i, padding)
		total = w.base + w.size
		closeWriter(t, w)
	}
	all := entries(t, path)
	for i, e := range all {
		if want := fmt.Sprintf("%d %s", lines-len(all)+i, padding); string(e.Text) != want {
			t.Fatalf("entry %d is %.10q", i, e.Text)
		}
	}
	if len(all) < 60 || total < lines*1030 {
		t.Errorf("%d entries, and %d bytes in all", len(all), total)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > MinLimit {
		t.Errorf("the file has %v, %v", info.Size(), err)
	}
}

func TestContinueAfterATornEntry(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	const torn = "2026-11-21T18:00:00.000000000Z stdout F to"
	if err := os.WriteFile(path, []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	w := Continue(path, MinLimit)
	fmt.Fprintln(w.Stream(Stdout), "next")
	closeWriter(t, w)
	if got := printed(entries(t, path), Stdout); got != "to\nnext\n" {
		t.Errorf("%q", got)
	}
}

// A process that ends between the two steps of a rotation has left only the old
// file; one that ends behind them an empty one.
func TestContinueAfterHalfARotation(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]bool{"no file": false, "an empty file": true} {
		path := filepath.Join(t.TempDir(), "a.log")
		first := Entry{Stream: Stdout, Text: []byte("old")}.Append(nil)
		if err := os.WriteFile(Old(path), first, 0o600); err != nil {
			t.Fatal(err)
		}
		if left {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w := Continue(path, MinLimit)
		fmt.Fprintln(w.Stream(Stdout), "new")
		if w.base != int64(len(first)) {
			t.Errorf("%s: the file begins at %d, want %d", name, w.base, len(first))
		}
		closeWriter(t, w)
		if got := printed(entries(t, path), Stdout); got != "old\nnew\n" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
