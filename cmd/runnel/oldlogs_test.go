package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRemoveOldLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"job-x-0-0.log", "job-x-0-0.log.1"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeOldLogs(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := removeOldLogs(filepath.Join(dir, "nosuch")); err == nil {
		t.Error("no complaint about a directory that is not there")
	}
}
