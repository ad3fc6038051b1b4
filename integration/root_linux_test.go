package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/integration/rig"
)

// A root may lie deeper than the address of a socket is long, below a link, and
// have a name with anything in it.
func TestOddRoots(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/real", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{
		dir + "/" + strings.Repeat("deep/", 30) + "root",
		dir + "/link/root",
		dir + "/a b,c:d=e\\f\"g'h%s\n\u00e4",
		dir + "/new/and/new",
	} {
		h.AddRoot(root)
		r := h.Run(h.Script(`echo here; echo x >/x; cat /x`, "--root", root)...)
		if r.Code != 0 || !strings.Contains(r.Stdout, "0 stdout here\n0 stdout x\n") {
			t.Errorf("%q: exit %d\n%s", root, r.Code, r)
		}
		rig.CheckRoot(t, root)
	}
}

// A root that cannot be one.
func TestBadRoots(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := t.TempDir()
	if err := unix.Mount("tmpfs", readOnly, "tmpfs", unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(readOnly, 0); err != nil {
			t.Error(err)
		}
	})
	for root, words := range map[string][]string{
		file:                 {file, "not a directory"},
		file + "/below":      {file, "not a directory"},
		readOnly + "/root":   {readOnly, "read-only"},
		"/proc/nosuch":       {"/proc/nosuch"},
		"/sys/kernel/nosuch": {"/sys/kernel/nosuch"},
	} {
		r := h.Run(h.Script(`echo here`, "--root", root)...)
		if r.Code != 1 {
			t.Errorf("%s: exit %d, want 1\n%s", root, r.Code, r)
			continue
		}
		r.Explains(words...)
	}
}

// contract: IMG-11 ATK-37
// The disk of the private root is full.
func TestFullDiskOfThePrivateRoot(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	if err := unix.Mount("tmpfs", rig.PrivateRoots, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatal(err)
	}
	r := h.Run(h.Script(`echo fits`)...)
	r.Exits(1).Explains("no space left")
	entries, err := os.ReadDir(rig.PrivateRoots)
	if err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	if err := unix.Unmount(rig.PrivateRoots, 0); err != nil {
		t.Error(err)
	}
}
