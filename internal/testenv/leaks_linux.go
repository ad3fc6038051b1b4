package testenv

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leakDeadline is how long what a test used may take to go by itself: the
// kernel and the Go runtime tear down behind a caller's back, and one namespace
// after the other, on a busy or an emulated machine. What leaks stays for ever.
const leakDeadline = 30 * time.Second

// NoLeaks records what the process holds of the host, and fails the test if
// any of it differs when the test has ended: mounts, network links, nftables
// tables, cgroups under a CgroupParent, open files, child processes, threads
// left in another namespace, goroutines. Differences get a few seconds to go.
//
// Call it first, so that it looks after every other clean-up of the test. It
// sees the whole process: not for tests that run in parallel.
func NoLeaks(t testing.TB) {
	t.Helper()
	noLeaks(t, leakDeadline)
}

// noLeaks gives differences as long as patience to go.
func noLeaks(t testing.TB, patience time.Duration) {
	t.Helper()
	startPoller(t)
	before := takeSnapshot()
	t.Cleanup(func() {
		var diff []string
		if !poll(patience, func() bool {
			diff = before.diff(takeSnapshot())
			return len(diff) == 0
		}) {
			t.Errorf("the test did not leave things as they were:\n\t%s",
				strings.ReplaceAll(strings.Join(diff, "\n"), "\n", "\n\t"))
		}
	})
}

// startPoller has the Go runtime open its own descriptors, which it does at the
// first use and never closes, so that they do not look like a leak.
func startPoller(t testing.TB) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	_ = w.Close()
	// Finding out about pidfds happens once, at the first process started.
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Release()
	}
}

// snapshot is what a process holds at one moment: a name that stays the same
// for as long as the thing is held, and what to tell a person of it.
type snapshot map[string]string

// takeSnapshot looks at everything. What cannot be looked at becomes an entry
// with the reason, so that it cannot hide a leak.
func takeSnapshot() snapshot {
	s := snapshot{}
	for _, look := range []func(snapshot) error{
		lookMounts, lookLinks, lookTables, lookCgroups, lookFiles, lookChildren, lookThreads, lookGoroutines,
	} {
		if err := look(s); err != nil {
			s.add("unreadable "+err.Error(), "")
		}
	}
	return s
}

// add counts things of the same name apart.
func (s snapshot) add(name, detail string) {
	key := name
	for n := 2; ; n++ {
		if _, taken := s[key]; !taken {
			s[key] = detail
			return
		}
		key = fmt.Sprintf("%s (%d)", name, n)
	}
}

// diff lists what only one of the two holds, in a fixed order.
func (s snapshot) diff(after snapshot) []string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, ok := s[key]; !ok {
			lines = append(lines, strings.TrimSpace("left: "+key+"\n"+after[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		_, ok := after[key]
		// A goroutine of before that has ended is nobody's loss, nor is the last
		// thread in a namespace, which may just have been about to.
		if !ok && !strings.HasPrefix(key, "goroutine") && !strings.HasPrefix(key, "thread in ") {
			lines = append(lines, "gone: "+key)
		}
	}
	return lines
}

func lookMounts(s snapshot) error {
	mounts, err := readMounts()
	for _, m := range mounts {
		s.add("mount "+m.fstype+" on "+m.point, "")
	}
	return err
}

// lookLinks reads the thread's own view: /sys shows the devices of the
// namespace it was mounted in.
func lookLinks(s snapshot) error {
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			s.add("link "+strings.TrimSpace(name), "")
		}
	}
	return nil
}

func lookCgroups(s snapshot) error {
	trees, err := cgroupTrees()
	if err != nil {
		return err
	}
	for _, tree := range trees {
		parents, err := filepath.Glob(filepath.Join(tree, cgroupPrefix()+"*"))
		if err != nil {
			return err
		}
		for _, parent := range parents {
			s.add("cgroup "+parent, "")
		}
	}
	return nil
}

func lookFiles(s snapshot) error {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		target, err := os.Readlink("/proc/self/fd/" + name)
		if errors.Is(err, os.ErrNotExist) || name == fmt.Sprint(dir.Fd()) {
			continue // closed since, or the directory being read
		}
		if filepath.Base(target) == "testlog.txt" {
			continue // go test's own, which a Suite outlives
		}
		if err != nil {
			return err
		}
		s.add("open file "+target, "")
	}
	return nil
}

func lookChildren(s snapshot) error {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	self := fmt.Sprint(os.Getpid())
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // ended since
		}
		if err != nil {
			return err
		}
		// pid (name) state ppid ...: the name may hold anything.
		end := strings.LastIndexByte(string(text), ')')
		fields := strings.Fields(string(text[end+1:]))
		if end < 0 || len(fields) < 2 || fields[1] != self {
			continue
		}
		s.add("child process "+string(text[:end+1])+" in state "+fields[0], "")
	}
	return nil
}

// lookThreads adds the namespaces that the threads are in. A thread that a test
// moved and did not bring back would serve any goroutine later. The first
// thread does not count: a goroutine that ends while locked to it takes no
// thread along, the runtime parks that one for good.
func lookThreads(s snapshot) error {
	for _, ns := range []string{"net", "mnt"} {
		threads, err := filepath.Glob("/proc/self/task/*/ns/" + ns)
		if err != nil {
			return err
		}
		first := fmt.Sprintf("/proc/self/task/%d/", os.Getpid())
		for _, thread := range threads {
			at, err := os.Readlink(thread)
			if err != nil || strings.HasPrefix(thread, first) {
				continue // ended since, or the first
			}
			s["thread in "+at] = ""
		}
	}
	return nil
}
