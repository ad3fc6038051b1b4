package image

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tree describes every file beneath root in one line each: type, mode, owner,
// time, link count, attributes, and content or target.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[rel], err = describe(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	s := fmt.Sprintf("%v %d:%d %d", info.Mode(), st.Uid, st.Gid, info.ModTime().Unix())
	switch {
	case info.Mode().IsRegular():
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		s += fmt.Sprintf(" links=%d size=%d %x", st.Nlink, len(content), sha256.Sum256(content))
	case info.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		s += " -> " + target
	case info.Mode()&os.ModeDevice != 0:
		s += fmt.Sprintf(" dev=%d", st.Rdev)
	}
	return s + xattrs(path), nil
}

func xattrs(path string) (s string) {
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(path, names)
	if err != nil || n == 0 {
		return ""
	}
	list := strings.Split(strings.TrimRight(string(names[:n]), "\x00"), "\x00")
	slices.Sort(list)
	for _, name := range list {
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, name, value)
		if err == nil {
			s += fmt.Sprintf(" %s=%q", name, value[:n])
		}
	}
	return s
}

// sameTree fails with the lines that differ.
func sameTree(t testing.TB, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s:\n got %q\nwant %q", name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: unexpected %q", name, got[name])
		}
	}
}

// names are the paths of a tree, the root left out.
func names(files map[string]string) []string {
	delete(files, ".")
	return slices.Sorted(maps.Keys(files))
}
