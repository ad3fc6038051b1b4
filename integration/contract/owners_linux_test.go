package contract

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"runnel/integration/rig"
)

// abstract are the sockets that have a name and no path, of what
// /proc/net/unix shows.
func abstract(text string) (names []string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 7 && strings.HasPrefix(f[7], "@") {
			names = append(names, f[7])
		}
	}
	return names
}

// below are the files of a kind below a directory, with what they are.
func below(t *testing.T, dir string, is func(path string, info fs.FileInfo) bool) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone since
		}
		if info, err := e.Info(); err == nil && is(path, info) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// othersEnter reports whether others than the owner get to a path below top by
// the directories' modes.
func othersEnter(t *testing.T, top, path string) bool {
	t.Helper()
	for dir := filepath.Dir(path); strings.HasPrefix(dir, top); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o011 == 0 {
			return false
		}
	}
	return true
}

// contract: ATK-32
func TestATK32SocketsOfTheDaemonAreItsOwn(t *testing.T) {
	d := daemon(t)
	n := newNeighbour(d, nameOf(t)) // which has a shim, too
	if names := abstract(n.runs("cat /proc/net/unix")); len(names) > 0 {
		t.Errorf("an instance sees the sockets %q", names)
	}
	if found := n.runs("find / -type s"); found != "/dev/log\n" {
		t.Errorf("there are other sockets than /dev/log in an instance:\n%s", found)
	}
	text, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	if names := abstract(string(text)); len(names) > 0 || !strings.Contains(string(text), d.Socket+"\n") {
		t.Errorf("abstract sockets %q on the host:\n%s", names, text)
	}
	if info, err := os.Stat(d.Socket); err != nil || info.Mode().Perm()&0o007 != 0 || info.Sys().(*syscall.Stat_t).Gid != 0 {
		t.Errorf("the API's socket is open to others: %v, %v", info, err)
	}
	sockets := below(t, d.Root, func(_ string, info fs.FileInfo) bool { return info.Mode()&fs.ModeSocket != 0 })
	if !slices.ContainsFunc(sockets, func(path string) bool { return filepath.Base(path) == "shim.sock" }) {
		t.Errorf("the sockets %q are without the shim's", sockets)
	}
	for _, path := range sockets {
		if othersEnter(t, d.Root, path) {
			t.Errorf("others get to %s", path)
		}
		if info, err := os.Stat(path); err == nil && filepath.Base(path) == "shim.sock" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
	}
}

// underUmask is a daemon of its own, started under a umask.
func underUmask(t *testing.T, mask string) *rig.Daemon {
	t.Helper()
	h := *daemon(t).Host
	program := filepath.Join(t.TempDir(), "runnel")
	if err := os.WriteFile(program, fmt.Appendf(nil, "#!/bin/sh\numask %s\nexec %s \"$@\"\n", mask, h.Runnel), 0o755); err != nil {
		t.Fatal(err)
	}
	h.Runnel = program
	return h.ServeRequests()
}

// contract: ATK-33
func TestATK33StateIsTheOwnersWhateverTheUmask(t *testing.T) {
	d := underUmask(t, "0")
	d.Deploy(nameOf(t), "--memory", "128Mi").Exits(0)
	d.Get(nameOf(t), "/").Is(d.Host, 200)
	runScript(t, d, "echo here")
	entries := below(t, d.Root, func(path string, info fs.FileInfo) bool {
		// What images and instances hold has the modes that they gave it; the
		// machine's name is mounted in every instance, for all to read.
		if in := strings.TrimPrefix(path, d.Root); strings.Count(in, "/") > 2 || in == "/product_name" || info.Mode()&fs.ModeSymlink != 0 {
			return false
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("open to others: %v %s", info.Mode(), path)
		}
		return true
	})
	if len(entries) < 15 {
		t.Errorf("there is only %q", entries)
	}
	nobody := exec.Command("ls", d.Root)
	nobody.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := nobody.CombinedOutput(); err == nil || !strings.Contains(string(out), "ermission denied") {
		t.Errorf("somebody else sees %s: %v", out, err)
	}
}

// contract: ATK-33
// The instances' files are not the daemon's.
func TestATK33InstancesKnowNothingOfTheUmask(t *testing.T) {
	d := underUmask(t, "0777")
	logs := runScript(t, d, `umask; stat -c '%a %n' / /etc/hosts /etc/resolv.conf /tmp /dev/shm; su app -s /bin/sh -c 'cat /etc/hosts >/dev/null && echo readable'`)
	for _, want := range []string{"0022", "755 /", "644 /etc/hosts", "644 /etc/resolv.conf", "1777 /tmp", "1777 /dev/shm", "readable"} {
		if !strings.Contains("\n"+logs, "\n"+want+"\n") {
			t.Errorf("in a task there is no %q in\n%s", want, logs)
		}
	}
}
