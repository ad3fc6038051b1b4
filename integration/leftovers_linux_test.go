package integration

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// leftDeadline is how long what ended may take to go: the kernel takes down
// namespaces and groups behind everybody's back.
const leftDeadline = 10 * time.Second

// checkLeft fails the test if anything is left of what ran: processes in this
// network namespace that were not there before, private roots, cgroups. Links,
// rules and mounts are for testenv.NoLeaks.
func (h *host) checkLeft(before map[string]string) {
	h.Helper()
	var left []string
	deadline := time.Now().Add(leftDeadline)
	for {
		if left = h.left(before); len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.Errorf("left behind:\n\t%s", strings.Join(left, "\n\t"))
	h.killLeft(before)
}

// left lists what there is too much.
func (h *host) left(before map[string]string) (left []string) {
	for pid, name := range processesHere(h.T) {
		if before[pid] == "" {
			left = append(left, "process "+pid+": "+name)
		}
	}
	entries, err := os.ReadDir(privateRoots)
	if err != nil {
		h.Error(err)
	}
	for _, e := range entries {
		left = append(left, filepath.Join(privateRoots, e.Name()))
	}
	for _, root := range h.knownRoots() {
		for _, dir := range cgroupDirs(h.T, root) {
			procs, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs")) // only for the message
			left = append(left, fmt.Sprintf("cgroup %s with %q", dir, procs))
		}
	}
	return left
}

// killLeft spares the next test what this one left.
func (h *host) killLeft(before map[string]string) {
	for pid := range processesHere(h.T) {
		var n int
		if _, err := fmt.Sscan(pid, &n); err == nil && before[pid] == "" {
			if p, err := os.FindProcess(n); err == nil {
				_ = p.Kill() // may have ended by itself
			}
		}
	}
}

// processesHere are the processes in the test's network namespace, except the
// test itself: pid and command line.
func processesHere(t testing.TB) map[string]string {
	t.Helper()
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, dir := range dirs {
		pid := filepath.Base(dir)
		// A zombie has no namespace any more; whose child it is waits for it.
		if ns, err := os.Readlink(dir + "/ns/net"); err != nil || ns != here || pid == fmt.Sprint(os.Getpid()) {
			continue
		}
		line, _ := os.ReadFile(dir + "/cmdline") // only for the message
		found[pid] = "running " + string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	return found
}

// rootEntries are what a root directory may hold between two runs.
var rootEntries = []string{"images", "lock", "logs", "metadata-key.pem", "product_name", "shim"}

// checkRoot looks through a root directory that nobody uses any more: nothing
// in it is half done, nothing is open to others, and no log is kept that was
// shown.
func checkRoot(t testing.TB, root string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return // never got so far
	}
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if !slices.Contains(rootEntries, e.Name()) {
			t.Errorf("%s holds %s", root, e.Name())
		}
	}
	if info, err := os.Stat(root); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the root is open to others: %v, %v", info.Mode(), err)
	}
	for _, empty := range []string{"images/tmp", "logs", "shim/private"} {
		entries, err := os.ReadDir(filepath.Join(root, empty))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			t.Errorf("%s/%s holds %s", root, empty, e.Name())
		}
	}
}

// picture is what no container may change: settings of the kernel, and files of
// the host that hostile images aim at.
type picture map[string]string

// watched are settings that say where the kernel takes a program from, or what
// everybody on the host depends on.
var watched = []string{
	"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
	"/proc/sys/kernel/poweroff_cmd", "/proc/sys/kernel/hostname", "/proc/sys/kernel/panic",
	"/proc/sys/kernel/sysrq", "/proc/sys/kernel/pid_max", "/proc/sys/kernel/randomize_va_space",
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/vm/swappiness",
	"/proc/sys/fs/suid_dumpable", "/proc/sys/fs/protected_symlinks", "/proc/sys/fs/protected_hardlinks",
	"/proc/self/oom_score_adj", "/sys/kernel/uevent_helper",
}

// trees are directories whose names and modes are compared; of /etc and of the
// programs also the contents.
var trees = []string{"/etc", "/dev", "/root"}

func takePicture(t testing.TB) picture {
	t.Helper()
	p := picture{}
	for _, path := range watched {
		if text, err := os.ReadFile(path); err == nil {
			p[path] = string(text)
		}
	}
	for _, tree := range trees {
		err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // gone since: others work on this host, too
			}
			// Devices and terminals come and go with whoever logs in.
			if d.IsDir() && (path == "/dev/pts" || path == "/dev/shm" || tree == "/root" && path != tree) {
				return fs.SkipDir
			}
			if info, err := d.Info(); err == nil {
				p[path] = fmt.Sprint(info.Mode(), info.Size()*int64(btoi(info.Mode().IsRegular())))
				if tree == "/etc" && info.Mode().IsRegular() && info.Size() < 1<<16 {
					text, _ := os.ReadFile(path) // its absence will differ
					p[path] += string(text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare fails the test for everything that differs now.
func (p picture) compare(t testing.TB) {
	t.Helper()
	now := takePicture(t)
	for path, was := range p {
		if now[path] != was {
			t.Errorf("%s was %q and is %q", path, clip(was), clip(now[path]))
		}
	}
	for path := range now {
		if _, ok := p[path]; !ok {
			t.Errorf("%s is new", path)
		}
	}
}

// clip shortens what goes into a message.
func clip(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return s[:most/2] + " … " + s[len(s)-most/2:]
}
