package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func TestParseBusyLeavesWaitingOut(t *testing.T) {
	t.Parallel()
	got, err := parseBusy("cpu  100 10 200 5000 300 1 2 40 50 60\ncpu0 1 2 3\n")
	if want := 3130 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := parseBusy("intr 1 2 3"); err == nil {
		t.Error("read a line that is not cpu")
	}
}

func TestMedianTakesWallAndCPUEachForItself(t *testing.T) {
	t.Parallel()
	got := median([]sample{{wall: 3, cpu: 10}, {wall: 1, cpu: 30}, {wall: 2, cpu: 20}})
	if want := (sample{wall: 2, cpu: 20}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRepeatDoesAllAndNoMoreAtOnce(t *testing.T) {
	t.Parallel()
	var done, now, most atomic.Int64
	err := repeat(50, 3, func(int) error {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		done.Add(1)
		now.Add(-1)
		return nil
	})
	if err != nil || done.Load() != 50 || most.Load() > 3 {
		t.Errorf("did %d with at most %d at once, %v; want 50, 3", done.Load(), most.Load(), err)
	}
}

func TestRepeatStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	want := errors.New("no more")
	var done atomic.Int64
	err := repeat(1000, 2, func(int) error { done.Add(1); return want })
	if !errors.Is(err, want) || done.Load() > 4 {
		t.Errorf("got %v after %d calls", err, done.Load())
	}
}

func TestLayerIsWhatItsDiffIDSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newLayerWriter()
	if err := w.add("a/file", file, info); err != nil {
		t.Fatal(err)
	}
	l, err := w.finish()
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(l.blob))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); l.diffID != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Errorf("diff ID is %s, content hashes to %x", l.diffID, sum)
	}
	h, err := tar.NewReader(bytes.NewReader(raw)).Next()
	if err != nil || h.Name != "a/file" || h.Size != 7 || l.files != 1 || l.unpacked != 7 {
		t.Errorf("layer holds %+v, counts %d files of %d bytes, %v", h, l.files, l.unpacked, err)
	}
}

func TestHardLimit(t *testing.T) {
	t.Parallel()
	if got := hardLimit("Max open files"); strings.Trim(got, "0123456789") != "" && got != "unlimited" {
		t.Errorf("hard limit of open files is %q", got)
	}
}
