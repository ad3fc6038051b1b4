package rig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// leftDeadline is how long what ended may take to go: the kernel takes down
// namespaces and groups behind everybody's back. What is forgotten stays for ever.
const leftDeadline = 30 * time.Second

// checkLeft fails the test if anything is left of what ran: processes in this
// network namespace that were not there before, private roots, cgroups. Links,
// rules and mounts are for testenv.NoLeaks.
func (h *Host) checkLeft(before map[string]string) {
	h.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	left := h.Left(before)
	for deadline := time.Now().Add(leftDeadline); len(left) > 0 && time.Now().Before(deadline); left = h.Left(before) {
		<-tick.C
	}
	if len(left) == 0 {
		return
	}
	h.Errorf("left behind:\n\t%s", strings.Join(left, "\n\t"))
	h.killLeft(before)
}

// Left lists what there is too much.
func (h *Host) Left(before map[string]string) (left []string) {
	for pid, name := range ProcessesHere(h.TB) {
		if before[pid] == "" {
			left = append(left, "process "+pid+": "+name)
		}
	}
	entries, err := os.ReadDir(PrivateRoots)
	if err != nil {
		h.Error(err)
	}
	for _, e := range entries {
		left = append(left, filepath.Join(PrivateRoots, e.Name()))
	}
	for _, root := range h.KnownRoots() {
		for _, dir := range CgroupDirs(h.TB, root) {
			procs, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs")) // only for the message
			left = append(left, fmt.Sprintf("cgroup %s with %q", dir, procs))
		}
	}
	return left
}

// killLeft spares the next test what this one left.
func (h *Host) killLeft(before map[string]string) {
	for pid := range ProcessesHere(h.TB) {
		var n int
		if _, err := fmt.Sscan(pid, &n); err == nil && before[pid] == "" {
			if p, err := os.FindProcess(n); err == nil {
				_ = p.Kill() // may have ended by itself
			}
		}
	}
}

// ProcessesHere are the processes in the test's network namespace, except the
// test itself: pid and command line.
func ProcessesHere(t testing.TB) map[string]string {
	t.Helper()
	here, err := os.Readlink("/proc/thread-self/ns/net")
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

// rootEntries are what a root directory may hold between two runs, and
// daemonEntries what a daemon keeps there beside.
var (
	rootEntries   = []string{"images", "lock", "logs", "metadata-key.pem", "product_name", "shim"}
	daemonEntries = []string{"api-token", "state.db", "tls"}
)

// CheckDaemonRoot is CheckRoot for a daemon's, which keeps logs.
func CheckDaemonRoot(t testing.TB, root string) {
	t.Helper()
	checkEntries(t, root, append(daemonEntries, rootEntries...))
	checkEmpty(t, root, "images/tmp", "shim/private")
}

// CheckRoot looks through a root directory that nobody uses any more: nothing
// in it is half done, nothing is open to others, and no log is kept that was
// shown.
func CheckRoot(t testing.TB, root string) {
	t.Helper()
	checkEntries(t, root, rootEntries)
	checkEmpty(t, root, "images/tmp", "logs", "shim/private")
}

// checkEntries looks for what does not belong into a root.
func checkEntries(t testing.TB, root string, may []string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return // never got so far
	}
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if !slices.Contains(may, e.Name()) {
			t.Errorf("%s holds %s", root, e.Name())
		}
	}
	if info, err := os.Stat(root); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the root is open to others: %v, %v", info.Mode(), err)
	}
}

// checkEmpty looks into directories of a root that should hold nothing.
func checkEmpty(t testing.TB, root string, dirs ...string) {
	t.Helper()
	for _, empty := range dirs {
		entries, err := os.ReadDir(filepath.Join(root, empty))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "collected-") {
				continue // a removal that the daemon's end has cut short, for the next one to finish
			}
			t.Errorf("%s/%s holds %s", root, empty, e.Name())
		}
	}
}
