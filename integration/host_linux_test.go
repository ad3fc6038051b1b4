package integration

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

// privateRoots is where "runnel run" makes its private directories.
const privateRoots = "/var/lib"

// host is the machine as one test sees it: with a /var/lib and a network that
// nobody else uses.
type host struct {
	*testing.T
	// runnel is the path of the program.
	runnel string

	// mu guards roots.
	mu sync.Mutex
	// roots are the root directories that were used, private ones too.
	roots []string
}

// openHost readies the host for one test. When the test has ended it looks for
// what is left: see checkLeft, checkRoot and checkUnchanged.
func openHost(t *testing.T) *host {
	t.Helper()
	testenv.Root(t)
	testenv.Binary(t, "runnel-shim")
	h := &host{T: t, runnel: testenv.Binary(t, "runnel")}
	testenv.NoLeaks(t)
	h.mountOver(privateRoots, t.TempDir())
	h.watchRoots()
	before := takePicture(t)
	processes := processesHere(t)
	t.Cleanup(func() {
		h.checkLeft(processes)
		before.compare(t)
	})
	return h
}

// mountOver binds what stands at from over path until the test ends.
func (h *host) mountOver(path, from string) {
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
func (h *host) watchRoots() {
	h.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		h.Fatal(err)
	}
	if err := w.Add(privateRoots); err != nil {
		h.Fatal(err)
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range w.Events {
			if e.Has(fsnotify.Create) {
				h.addRoot(e.Name)
			}
		}
	})
	watching.Go(func() {
		for err := range w.Errors {
			h.Errorf("watch %s: %v", privateRoots, err)
		}
	})
	h.Cleanup(func() {
		if err := w.Close(); err != nil {
			h.Error(err)
		}
		watching.Wait()
	})
}

func (h *host) addRoot(dir string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.roots = append(h.roots, dir)
}

// knownRoots are the roots used so far.
func (h *host) knownRoots() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.roots...)
}

// keptRoot is a directory for --root. What is in it when the test ends is
// checked.
func (h *host) keptRoot() string {
	h.Helper()
	return h.newRoot(checkRoot)
}

// newRoot is a directory for --root, with the check of what is in it when the
// test ends.
func (h *host) newRoot(check func(t testing.TB, root string)) string {
	h.Helper()
	dir := filepath.Join(h.TempDir(), "root")
	h.addRoot(dir)
	h.Cleanup(func() { check(h.T, dir) })
	return dir
}

// cgroupDirs are the directories of a root's cgroup, in every hierarchy that
// has one.
func cgroupDirs(t testing.TB, root string) []string {
	t.Helper()
	if straight, err := filepath.EvalSymlinks(root); err == nil {
		root = straight // a root that is gone was called by its true name
	}
	sum := sha256.Sum256([]byte(root))
	name := "runnel-" + hex.EncodeToString(sum[:])[:7]
	var dirs []string
	for _, tree := range cgroupTrees(t) {
		dir := filepath.Join(tree, name)
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// cgroupTrees are the mount points of the cgroup hierarchies.
func cgroupTrees(t testing.TB) []string {
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
