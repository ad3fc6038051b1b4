package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestWriteInitramfsIsReadByCpio(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("busybox"); err != nil {
		t.Skip("needs busybox, whose cpio reads the archive")
	}
	dir, out := t.TempDir(), t.TempDir()
	want := map[string]string{"init": "#!", "lib/modules/a.ko": "odd", "lib/empty": ""}
	files := map[string]string{}
	for name, text := range want {
		files[name] = filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(files[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var archive bytes.Buffer
	if err := writeInitramfs(&archive, files); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("busybox", "cpio", "-i", "-d")
	cmd.Dir, cmd.Stdin = out, &archive
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v\n%s", err, msg)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || string(got) != text {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, text)
		}
	}
	info, err := os.Stat(filepath.Join(out, "init"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("init has mode %v, %v; the kernel has to execute it", info.Mode(), err)
	}
}

func TestWriteInitramfsNamesTheMissingFile(t *testing.T) {
	t.Parallel()
	err := writeInitramfs(&bytes.Buffer{}, map[string]string{"init": filepath.Join(t.TempDir(), "none")})
	if !os.IsNotExist(err) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}
