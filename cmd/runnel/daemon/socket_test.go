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
	its := filepath.Join(top, "its")
	listens := func(path string, want map[string]os.FileMode) {
		t.Helper()
		l, err := listenUnix(path, "")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for path, mode := range want {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v, want %v", path, info, err, mode)
			}
		}
	}
	listens(its+"/own/a.sock", map[string]os.FileMode{its: 0o755, its + "/own": 0o755, its + "/own/a.sock": 0o660})
	if err := os.Chmod(its, 0o700); err != nil {
		t.Fatal(err)
	}
	// What was there is its owner's.
	listens(its+"/other/b.sock", map[string]os.FileMode{its: 0o700, its + "/other": 0o755})
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
