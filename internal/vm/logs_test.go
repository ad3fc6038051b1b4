package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLogsOfAFailedRunStay(t *testing.T) {
	t.Parallel()
	c := config{cache: t.TempDir()}
	log := filepath.Join(c.cache, "tests.log")
	for _, text := range []string{"first", "second"} {
		if err := os.WriteFile(log, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := keepLogs(c, log, filepath.Join(c.cache, "console.log")); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(c.cache, "failed", "*", "tests.log"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept %q, %v, want two", kept, err)
	}
}

func TestNewDirIsNeverOneThatExists(t *testing.T) {
	t.Parallel()
	parent, now := t.TempDir(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, want := range []string{"20260102T030405Z", "20260102T030405Z-2", "20260102T030405Z-3"} {
		got, err := newDir(parent, now)
		if err != nil || got != filepath.Join(parent, want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestPrintTailShowsTheEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	if err := os.WriteFile(path, []byte(strings.Repeat("boring\r\n", 100)+"Kernel panic\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printTail(&out, path)
	if lines := strings.Split(out.String(), "\n"); len(lines) != tailLines+2 || lines[tailLines] != "\tKernel panic" {
		t.Errorf("got %q", lines)
	}
}

func TestOneRunLocksOutAnother(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("the second: %v", err)
	}
	unlock()
	again, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
