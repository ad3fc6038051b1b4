package daemon

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func TestSocketIsForRootAndItsGroup(t *testing.T) {
	testenv.Root(t)
	groups := map[string]bool{"": false, "no-such-group-here": false}
	if _, err := user.LookupGroup("daemon"); err == nil { // the virtual machine has no groups
		groups["daemon"] = true
	}
	for group, want := range groups {
		path := filepath.Join(t.TempDir(), "run", "runnel.sock")
		l, err := listenUnix(path, group)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != 0o660 || stat.Uid != 0 || (stat.Gid != 0) != want {
			t.Errorf("group %q: mode %v, user %d, group %d", group, info.Mode().Perm(), stat.Uid, stat.Gid)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The group that the socket is for gets to it under a strict umask, too.
func TestSocketIsReachedWhateverTheUmask(t *testing.T) {
	testenv.Root(t)
	defer syscall.Umask(syscall.Umask(0o077))
	top := t.TempDir()
	l, err := listenUnix(filepath.Join(top, "its", "own", "runnel.sock"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, dir := range []string{"its", "its/own"} {
		if info, err := os.Stat(filepath.Join(top, dir)); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
	// One that was there is its owner's.
	for _, dir := range []string{"its", "its/own"} {
		if err := os.Chmod(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	again, err := listenUnix(filepath.Join(top, "its", "own", "other.sock"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if info, err := os.Stat(filepath.Join(top, "its", "own")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a directory that was there: %v, %v", info, err)
	}
}

func TestSocketInUseIsNotTaken(t *testing.T) {
	testenv.Root(t)
	path := filepath.Join(t.TempDir(), "runnel.sock")
	first, err := listenUnix(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := listenUnix(path, ""); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("%v, %v", second, err)
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the socket of the first is gone: %v", err)
	} else if err := c.Close(); err != nil {
		t.Error(err)
	}
}
