package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/internal/testenv"
)

func TestPrivateRootIsRemovedAndAnyOtherKept(t *testing.T) {
	t.Parallel()
	r, err := makePrivateRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(r.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.Dir); !os.IsNotExist(err) {
		t.Errorf("the private root is still there: %v", err)
	}

	dir := filepath.Join(t.TempDir(), "mine", "deep")
	r, err = OpenRoot(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the given root is gone: %v", err)
	}
}

func TestRootBelowALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	straight, err := OpenRoot(context.Background(), filepath.Join(dir, "real", "root"), nil)
	if err != nil {
		t.Fatal(err)
	}
	around, err := OpenRoot(context.Background(), filepath.Join(dir, "link", "root"), nil)
	if err != nil || *around != *straight {
		t.Errorf("the same directory is %+v and %+v, %v", straight, around, err)
	}
}

func TestRootNameIsStableAndFitsTheNetwork(t *testing.T) {
	t.Parallel()
	a, b := rootName("/var/lib/a"), rootName("/var/lib/b")
	if a == b || a != rootName("/var/lib/a") || len(a) != nameDigits {
		t.Errorf("names %q and %q", a, b)
	}
}

// A root in use is left alone; one whose owner has died goes, and a directory
// that only looks alike stays.
func TestSweepRemovesTheRootsOfTheDead(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	parent := t.TempDir()
	live, err := makePrivateRoot(parent)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, "runnel-run-dead")
	other := filepath.Join(parent, "runnel-other")
	for _, dir := range []string{filepath.Join(dead, "images", "layers"), other} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweepPrivateRoots(context.Background(), parent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the dead root is still there: %v", err)
	}
	for _, dir := range []string{live.Dir, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

// A directory that cannot be locked does not stay.
func TestPrivateRootThatCannotBeLockedIsRemoved(t *testing.T) {
	// Not parallel: the whole process is out of file descriptors for a moment.
	parent := t.TempDir()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err := makePrivateRoot(parent)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What an earlier run left and cannot be removed is told about, and keeps no
// later run from running.
func TestLeftoversThatStayAreNoReasonNotToRun(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	parent := t.TempDir()
	held := filepath.Join(parent, "runnel-run-held", "mounted")
	if err := os.MkdirAll(held, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", held, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(held, 0); err != nil {
			t.Error(err)
		}
	})
	var told []string
	r, err := openPrivateRoot(t.Context(), parent, func(s string) { told = append(told, s) })
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || !strings.Contains(told[0], held) {
		t.Errorf("told %q", told)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
