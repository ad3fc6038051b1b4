package integration

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// kill ends pid at once.
func (h *host) kill(pid int) {
	h.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		h.Fatal(err)
	}
}

// A shim that is killed takes the run along, with a word about it.
func TestKilledShim(t *testing.T) {
	h := openHost(t)
	p := h.start(h.script(endless, "--tasks", "4", "--parallelism", "2", "--cpu", "0.5", "--memory", "128Mi")...)
	p.says(p.stdout, "stdout up")
	began := time.Now()
	h.kill(p.shim())
	r := p.wait().exits(1)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the run went on for %v", took)
	}
	if !strings.Contains(r.stderr+r.stdout, "shim") && !strings.Contains(r.stderr+r.stdout, "keeper") {
		t.Errorf("nobody says what happened\n%s", r)
	}
}

// A runnel that is killed takes its containers along; the next one removes the
// rest.
func TestKilledRunnel(t *testing.T) {
	h := openHost(t)
	p := h.start(h.script(`trap '' TERM INT; echo up; setsid sleep 1000 & while :; do sleep 1; done`, "--tasks", "2", "--cpu", "0.5", "--memory", "128Mi")...)
	p.says(p.stdout, "stdout up")
	shim := p.shim()
	roots := h.knownRoots()
	h.kill(p.cmd.Process.Pid)
	if r := p.wait(); r.code != 128+9 {
		t.Fatalf("exit %d\n%s", r.code, r)
	}
	testenv.Eventually(t, patience(), func() bool {
		_, err := os.Stat(filepath.Join("/proc", itoa(shim)))
		return os.IsNotExist(err)
	}, "the shim ends by itself")
	testenv.Eventually(t, patience(), func() bool { return len(h.instances(roots)) == 0 }, "no process of the instances is left")

	h.run(h.script(`echo swept`)...).exits(0)
	// What is left of the dead one is looked for when the test ends.
}

// instances are the processes in the cgroups of roots.
func (h *host) instances(roots []string) (pids []string) {
	h.Helper()
	for _, root := range roots {
		for _, dir := range cgroupDirs(h.T, root) {
			files, _ := filepath.Glob(filepath.Join(dir, "*", "cgroup.procs")) // the pattern is fine
			for _, f := range files {
				text, _ := os.ReadFile(f) // a group that goes has no processes
				pids = append(pids, strings.Fields(string(text))...)
			}
		}
	}
	return pids
}

// The same root can be used again after its owner was killed at any moment.
func TestKilledRunnelLeavesTheRootUsable(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	root := h.keptRoot()
	moments := []time.Duration{20, 60, 120, 200, 300, 400}
	if testing.Short() {
		moments = moments[2:4]
	}
	for _, ms := range moments {
		p := h.start(h.script(endless, "--root", root, "--tasks", "2", "--cpu", "0.5", "--memory", "128Mi")...)
		<-time.After(ms * time.Millisecond)
		h.kill(p.cmd.Process.Pid)
		_ = p.wait()
		r := h.run(h.script(`echo again`, "--root", root)...)
		if r.code != 0 || !strings.Contains(r.stdout, "0 stdout again") {
			t.Fatalf("after %dms: exit %d\n%s", ms, r.code, r)
		}
	}
}

// Two runs do not share a root.
func TestRootInUse(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	root := h.keptRoot()
	p := h.start(h.script(endless, "--root", root)...)
	p.says(p.stdout, "stdout up")
	h.run(h.script(`echo me too`, "--root", root)...).exits(1).explains(root, "in use")
	p.signal(syscall.SIGINT)
	p.wait().exits(130)
}
