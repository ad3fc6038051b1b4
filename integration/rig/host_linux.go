package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"runnel/internal/testenv"
)

// PrivateRoots is where "runnel run" makes its private directories.
const PrivateRoots = "/var/lib"

// Host is the machine as one test sees it: with a /var/lib and a network that
// nobody else uses.
type Host struct {
	testing.TB
	// Runnel is the path of the program.
	Runnel string

	images *Images
	roots  *roots
}

// roots are the root directories that were used, private ones too.
type roots struct {
	mu  sync.Mutex
	all []string // guarded by mu
}

// Open readies the host for one test, or for all that use it at once, with the
// images that others use too. When t has ended it looks for what is left: see
// checkLeft, CheckRoot and picture.
func Open(t testing.TB, images *Images) *Host {
	t.Helper()
	testenv.Root(t)
	testenv.Binary(t, "runnel-shim")
	h := &Host{TB: t, Runnel: testenv.Binary(t, "runnel"), images: images, roots: &roots{}}
	testenv.NoLeaks(t)
	h.MountOver(PrivateRoots, t.TempDir())
	h.watchRoots()
	before := takePicture(t)
	processes := ProcessesHere(t)
	t.Cleanup(func() {
		h.checkLeft(processes)
		before.compare(t)
	})
	return h
}

// MountOver binds what stands at from over path until the test ends.
func (h *Host) MountOver(path, from string) {
	h.Helper()
	if err := unix.Mount(from, path, "", unix.MS_BIND, ""); err != nil {
		h.Fatalf("bind %s over %s: %v", from, path, err)
	}
	h.Cleanup(func() {
		if err := unix.Unmount(path, 0); err != nil {
			h.Errorf("unmount %s: %v", path, err)
		}
	})
}

// watchRoots notes the name of every private root that is made: it is needed to
// find what the root owned elsewhere, once the directory itself is gone.
func (h *Host) watchRoots() {
	h.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		h.Fatal(err)
	}
	if err := w.Add(PrivateRoots); err != nil {
		h.Fatal(err)
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range w.Events {
			if e.Has(fsnotify.Create) {
				h.AddRoot(e.Name)
			}
		}
	})
	watching.Go(func() {
		for err := range w.Errors {
			h.Errorf("watch %s: %v", PrivateRoots, err)
		}
	})
	h.Cleanup(func() {
		if err := w.Close(); err != nil {
			h.Error(err)
		}
		watching.Wait()
	})
}

// For is the same host for another test: what it finds wrong fails that one.
func (h *Host) For(t testing.TB) *Host {
	return &Host{TB: t, Runnel: h.Runnel, images: h.images, roots: h.roots}
}

// AddRoot says that dir is used as a root directory, so that what it owns
// elsewhere is looked for at the end.
func (h *Host) AddRoot(dir string) {
	h.roots.mu.Lock()
	defer h.roots.mu.Unlock()
	h.roots.all = append(h.roots.all, dir)
}

// KnownRoots are the roots used so far.
func (h *Host) KnownRoots() []string {
	h.roots.mu.Lock()
	defer h.roots.mu.Unlock()
	return append([]string(nil), h.roots.all...)
}

// KeptRoot is a directory for --root. What is in it when the test ends is
// checked.
func (h *Host) KeptRoot() string {
	h.Helper()
	return h.NewRoot(CheckRoot)
}

// NewRoot is a directory for --root, with the check of what is in it when the
// test ends.
func (h *Host) NewRoot(check func(t testing.TB, root string)) string {
	h.Helper()
	dir := filepath.Join(h.TempDir(), "root")
	h.AddRoot(dir)
	h.Cleanup(func() { check(h.TB, dir) })
	return dir
}

// CgroupDirs are the directories of a root's cgroup, in every hierarchy that
// has one.
func CgroupDirs(t testing.TB, root string) []string {
	t.Helper()
	if straight, err := filepath.EvalSymlinks(root); err == nil {
		root = straight // a root that is gone was called by its true name
	}
	sum := sha256.Sum256([]byte(root))
	name := "runnel-" + hex.EncodeToString(sum[:])[:7]
	var dirs []string
	for _, tree := range CgroupTrees(t) {
		dir := filepath.Join(tree, name)
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// CgroupTrees are the mount points of the cgroup hierarchies.
func CgroupTrees(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	var trees []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 2 && strings.HasPrefix(f[2], "cgroup") {
			trees = append(trees, f[1])
		}
	}
	return trees
}
