package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// A shim that is killed takes the run along, with a word about it.
func TestKilledShim(t *testing.T) {
	h := openHost(t)
	p := h.Start(h.Script(endless, "--tasks", "4", "--parallelism", "2", "--cpu", "0.5", "--memory", "128Mi")...)
	p.Says(p.Stdout, "stdout up")
	began := time.Now()
	h.Kill(p.Shim())
	r := p.Wait().Exits(1)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the run went on for %v", took)
	}
	if !strings.Contains(r.Stderr+r.Stdout, "shim") && !strings.Contains(r.Stderr+r.Stdout, "keeper") {
		t.Errorf("nobody says what happened\n%s", r)
	}
}

// A runnel that is killed takes its containers along; the next one removes the
// rest.
func TestKilledRunnel(t *testing.T) {
	h := openHost(t)
	p := h.Start(h.Script(`trap '' TERM INT; echo up; setsid sleep 1000 & while :; do sleep 1; done`, "--tasks", "2", "--cpu", "0.5", "--memory", "128Mi")...)
	p.Says(p.Stdout, "stdout up")
	shim := p.Shim()
	roots := h.KnownRoots()
	h.Kill(p.Cmd.Process.Pid)
	if r := p.Wait(); r.Code != 128+9 {
		t.Fatalf("exit %d\n%s", r.Code, r)
	}
	testenv.Eventually(t, rig.Patience(), func() bool {
		_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(shim)))
		return os.IsNotExist(err)
	}, "the shim ends by itself")
	testenv.Eventually(t, rig.Patience(), func() bool { return len(processesOf(h, roots)) == 0 }, "no process of the instances is left")

	h.Run(h.Script(`echo swept`)...).Exits(0)
	// What is left of the dead one is looked for when the test ends.
}

// processesOf are the processes in the cgroups of roots.
func processesOf(h *rig.Host, roots []string) (pids []string) {
	h.Helper()
	for _, root := range roots {
		for _, dir := range rig.CgroupDirs(h.TB, root) {
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
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	root := h.KeptRoot()
	moments := []time.Duration{20, 60, 120, 200, 300, 400}
	if testing.Short() {
		moments = moments[2:4]
	}
	for _, ms := range moments {
		p := h.Start(h.Script(endless, "--root", root, "--tasks", "2", "--cpu", "0.5", "--memory", "128Mi")...)
		<-time.After(ms * time.Millisecond)
		h.Kill(p.Cmd.Process.Pid)
		_ = p.Wait()
		r := h.Run(h.Script(`echo again`, "--root", root)...)
		if r.Code != 0 || !strings.Contains(r.Stdout, "0 stdout again") {
			t.Fatalf("after %dms: exit %d\n%s", ms, r.Code, r)
		}
	}
}

// Two runs do not share a root.
func TestRootInUse(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	root := h.KeptRoot()
	p := h.Start(h.Script(endless, "--root", root)...)
	p.Says(p.Stdout, "stdout up")
	h.Run(h.Script(`echo me too`, "--root", root)...).Exits(1).Explains(root, "in use")
	p.Signal(syscall.SIGINT)
	p.Wait().Exits(130)
}
