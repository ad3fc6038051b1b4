package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemoveOldLogs(t *testing.T) {
	t.Parallel()
	dir, records := t.TempDir(), filepath.Join(t.TempDir(), "state.db")
	for _, name := range []string{"job-x-0-0.log", "job-x-0-0.log.1"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeOldLogs(dir, records); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := removeOldLogs(filepath.Join(dir, "nosuch"), records); err == nil {
		t.Error("no complaint about a directory that is not there")
	}
}

func TestLogsOfADaemonStay(t *testing.T) {
	t.Parallel()
	dir, records := t.TempDir(), filepath.Join(t.TempDir(), "state.db")
	for _, path := range []string{filepath.Join(dir, "job-x-0-0.log"), records} {
		if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeOldLogs(dir, records); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}
