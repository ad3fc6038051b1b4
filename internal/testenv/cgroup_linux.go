package testenv

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cgroupDeadline bounds the removal of a parent: a dying process keeps its
// group busy for a moment.
const cgroupDeadline = 5 * time.Second

// CgroupParent returns the path of a group, such as "/runnel-test-4711-Attach-3",
// that no other test on this host uses. It does not create it. What is there
// when the test ends is a leak: it fails the test, and is killed and removed
// from every hierarchy.
func CgroupParent(t testing.TB) string {
	t.Helper()
	parent := "/" + cgroupPrefix() + cleanName(t.Name()) + fmt.Sprintf("-%d", time.Now().UnixNano()%1e9)
	t.Cleanup(func() {
		if left := cgroupsUnder(parent); len(left) > 0 {
			t.Errorf("left cgroups behind:\n\t%s", strings.Join(left, "\n\t"))
			removeCgroups(t, parent)
		}
	})
	return parent
}

// cgroupPrefix begins the names of the groups of this process.
func cgroupPrefix() string { return fmt.Sprintf("runnel-test-%d-", os.Getpid()) }

// cleanName keeps of a test's name what is at home in a path.
func cleanName(name string) string {
	name = regexp.MustCompile(`[^a-zA-Z0-9]+`).ReplaceAllString(strings.TrimPrefix(name, "Test"), "-")
	return strings.Trim(name[:min(len(name), 40)], "-")
}

// cgroupTrees lists the mount points of all cgroup hierarchies.
func cgroupTrees() ([]string, error) {
	mounts, err := readMounts()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range mounts {
		if m.fstype == "cgroup" || m.fstype == "cgroup2" {
			dirs = append(dirs, m.point)
		}
	}
	return dirs, nil
}

// cgroupsUnder lists the directories of parent and below it in all hierarchies,
// children before their parents.
func cgroupsUnder(parent string) []string {
	trees, err := cgroupTrees()
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	for _, tree := range trees {
		var dirs []string
		// A group may go while the walk is on it: what cannot be read is gone.
		_ = filepath.WalkDir(tree+parent, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append([]string{path}, dirs...)
			}
			return nil
		})
		all = append(all, dirs...)
	}
	return all
}

// removeCgroups ends what runs under parent and removes the groups.
func removeCgroups(t testing.TB, parent string) {
	t.Helper()
	gone := poll(cgroupDeadline, func() bool {
		left := cgroupsUnder(parent)
		for _, dir := range left {
			killProcs(dir)
			_ = os.Remove(dir) // looked at again in the next round
		}
		return len(left) == 0
	})
	if !gone {
		t.Errorf("cgroups cannot be removed:\n\t%s", strings.Join(cgroupsUnder(parent), "\n\t"))
	}
}

// killProcs kills the members of one group, all at once where the kernel can.
func killProcs(dir string) {
	if f, err := os.OpenFile(dir+"/cgroup.kill", os.O_WRONLY, 0); err == nil {
		defer f.Close()
		if _, err := f.WriteString("1"); err == nil {
			return
		}
	}
	procs, err := os.ReadFile(dir + "/cgroup.procs")
	if err != nil {
		return
	}
	for field := range strings.FieldsSeq(string(procs)) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already
		}
	}
}
