package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The programs come from where they were built, and stand where tests of the
// guest look for them.
func TestProgramsOfTheGuest(t *testing.T) {
	t.Parallel()
	m, bin, tree := module{dir: t.TempDir()}, t.TempDir(), t.TempDir()
	for dir, text := range map[string]string{filepath.Join(m.dir, "bin"): "stale", bin: "fresh"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "runnel"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyModuleFiles(m, bin, tree, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(tree, m.dir, "bin", "runnel")); err != nil || string(got) != "fresh" {
		t.Errorf("%q, %v", got, err)
	}
}
