package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunWritesLayoutAndArchive(t *testing.T) {
	t.Parallel()
	tree, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(tree, "hello"), []byte("hi"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{out + "/layout", out + "/image.tar"} {
		var stdout, stderr bytes.Buffer
		code := run([]string{"-out", target, "-tree", tree, "-entrypoint", "/hello,a", "-env", "A=b"}, &stdout, &stderr)
		if code != 0 || !strings.HasPrefix(stdout.String(), "sha256:") {
			t.Fatalf("%s: exit %d, %q, %q", target, code, stdout.String(), stderr.String())
		}
	}
	if _, err := os.Stat(out + "/layout/index.json"); err != nil {
		t.Error(err)
	}
	f, err := os.Open(out + "/image.tar")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found := false
	for tr := tar.NewReader(f); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found = found || hdr.Name == "index.json"
	}
	if !found {
		t.Error("the archive has no index.json")
	}
}

func TestRunRefusesBadUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"-out", "x"}, {"-busybox"}, {"-out", "x", "-busybox", "more"},
		{"-out", "x", "-tree", "/nonexistent"}, {"-out", "x", "-busybox", "-env", "=v"},
	} {
		var stderr bytes.Buffer
		if code := run(args, io.Discard, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, stderr.String())
		}
	}
}
