package daemon

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestSocketOfADeadDaemonIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "runnel.sock")
	first, err := listenUnix(path, "")
	if err != nil {
		t.Fatal(err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := first.Close(); err != nil { // as a killed process would
		t.Fatal(err)
	}
	second, err := listenUnix(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if third, err := listenUnix(path, ""); err == nil {
		third.Close()
		t.Error("a socket somebody listens on was taken")
	}
}

func TestSocketTakesNoFilesPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runnel.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := listenUnix(path, ""); err == nil {
		l.Close()
		t.Error("a file was replaced by the socket")
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Error("the file is gone")
	}
}

func TestSocketIsForRootAndItsGroup(t *testing.T) {
	for group, want := range map[string]os.FileMode{
		"":                   0o600,
		"no-such-group-here": 0o600,
		"daemon":             0o660,
	} {
		path := filepath.Join(t.TempDir(), "runnel.sock")
		l, err := listenUnix(path, group)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("group %q: %v, %v; want %v", group, info.Mode().Perm(), err, want)
		}
		if stat := info.Sys().(*syscall.Stat_t); want == 0o660 && int(stat.Gid) == 0 {
			t.Errorf("group %q: the socket is of group 0", group)
		}
		l.Close()
	}
}
