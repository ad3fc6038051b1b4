package cgroups

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	libcgroups "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"
	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/contract"
	"runnel/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// deadline bounds every wait of these tests. They also run on an emulated
// machine, where everything takes twenty times as long.
const deadline = 60 * time.Second

// plenty bounds workloads whose test is about something else, so that a broken
// kill does not take the machine along.
var plenty = Limits{CPU: 1000, Memory: 256 * contract.MiB, PIDs: 400}

// workload is a shell script that runs in a group under limits.
type workload struct {
	*Group
	host *Host
	cmd  *exec.Cmd
	end  chan error
}

// parent prepares a group for one test on this host.
func parent(t *testing.T) (*Host, string) {
	t.Helper()
	testenv.Root(t)
	h, err := Detect()
	check(t, err)
	// libcontainer keeps a descriptor of the cgroup root from its first use on.
	_, err = libcgroups.ReadFile(h.trees()[0], "cgroup.procs")
	check(t, err)
	testenv.NoLeaks(t)
	path := testenv.CgroupParent(t)
	check(t, h.Prepare(path))
	t.Cleanup(func() { check(t, h.Sweep(context.Background(), path)) })
	return h, path
}

// start runs script in a group of its own, the way the shim does it: the limits
// become part of a runtime specification, libcontainer applies them to a
// process that has not begun yet, and that one is let go.
func start(t *testing.T, l Limits, script string) *workload {
	t.Helper()
	h, path := parent(t)
	return startIn(t, h, path+"/instance", l, script)
}

func startIn(t *testing.T, h *Host, path string, l Limits, script string) *workload {
	t.Helper()
	g, err := h.Group(path)
	check(t, err)
	w := &workload{Group: g, host: h, cmd: exec.Command("sh", "-c", "read go\n"+script), end: make(chan error, 1)}
	gate, err := w.cmd.StdinPipe()
	check(t, err)
	check(t, w.cmd.Start())
	go func() { w.end <- w.cmd.Wait() }()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.end
	})
	apply(t, h, g, l, w.cmd.Process.Pid)
	_, err = io.WriteString(gate, "go\n")
	check(t, err)
	return w
}

// apply puts pid into g under l by means of libcontainer.
func apply(t *testing.T, h *Host, g *Group, l Limits, pid int) {
	t.Helper()
	config := &libcgroups.Cgroup{Path: g.Path(), Resources: libcontainerResources(l.Resources(h))}
	m, err := manager.New(config)
	check(t, err)
	check(t, m.Apply(pid))
	check(t, m.Set(config.Resources))
	check(t, g.Join(pid))
}

// libcontainerResources reads r as libcontainer's specconv does, which cannot
// be had without cgo.
func libcontainerResources(r *specs.LinuxResources) *libcgroups.Resources {
	out := &libcgroups.Resources{SkipDevices: true, Unified: r.Unified}
	if m := r.Memory; m != nil {
		out.Memory, out.MemorySwappiness = *m.Limit, m.Swappiness
		if m.Swap != nil {
			out.MemorySwap = *m.Swap
		}
	}
	if c := r.CPU; c != nil {
		out.CpuShares, out.CpuQuota, out.CpuPeriod = *c.Shares, *c.Quota, *c.Period
		out.CpuWeight = libcgroups.ConvertCPUSharesToCgroupV2Value(*c.Shares)
	}
	if r.Pids != nil {
		out.PidsLimit = r.Pids.Limit
	}
	return out
}

// wait returns how the script's first process ended.
func (w *workload) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	select {
	case err := <-w.end:
		w.end <- err
	case <-time.After(deadline):
		t.Fatalf("the workload still runs after %v", deadline)
	}
	return w.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// populate waits until at least n processes are in the group.
func (w *workload) populate(t *testing.T, n int) {
	t.Helper()
	testenv.Eventually(t, deadline, func() bool {
		procs, err := w.Procs()
		check(t, err)
		return len(procs) >= n
	}, n, "processes in the group")
}

// empty waits until no process is in the group.
func (w *workload) empty(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	check(t, w.WaitEmpty(ctx))
}

// spared ends the script's first process and shows that nobody did before: a
// pending SIGKILL would win.
func (w *workload) spared(t *testing.T) {
	t.Helper()
	check(t, w.cmd.Process.Signal(syscall.SIGTERM))
	if status := w.wait(t); status.Signal() != syscall.SIGTERM {
		t.Errorf("process %d had been killed", w.cmd.Process.Pid)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startUnlimited runs a sleeper in a group of the v2 hierarchy that is there.
func startUnlimited(t *testing.T, h *Host, path string) *workload {
	t.Helper()
	g, err := h.Group(path)
	check(t, err)
	w := &workload{Group: g, host: h, cmd: exec.Command("sleep", "600"), end: make(chan error, 1)}
	check(t, w.cmd.Start())
	go func() { w.end <- w.cmd.Wait() }()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.end
	})
	check(t, g.Join(w.cmd.Process.Pid))
	return w
}
