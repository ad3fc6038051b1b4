package image

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImageHoldsAFile(t *testing.T) {
	t.Parallel()
	layers := []string{t.TempDir(), t.TempDir()}
	for _, dir := range []string{"bin", "usr/bin"} {
		if err := os.MkdirAll(filepath.Join(layers[1], dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/nowhere/busybox", filepath.Join(layers[1], "bin/sh")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin", filepath.Join(layers[0], "host")); err != nil {
		t.Fatal(err)
	}
	img := Image{Layers: layers}
	for path, want := range map[string]bool{"bin/sh": true, "usr/bin/sh": false, "host/ls": false, "../etc/passwd": false} {
		if got := img.Holds(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
	if !img.Holds("usr/bin/sh", "bin/sh") {
		t.Error("the second of two is not found")
	}
}
