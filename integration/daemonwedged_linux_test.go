package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

// An instance that nobody knows any more and that cannot be removed keeps no
// daemon from coming up.
func TestDaemonComesUpDespiteAWedgedInstance(t *testing.T) {
	rig.HostOnly(t, "it waits out the removal of a cgroup")
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(3 * rig.Patience())
	createJob(d, ctx, "stuck", single(h, "echo up; sleep 1000"))
	x := d.Begin(ctx, "stuck")
	d.Until("the task runs", func() bool { return strings.Contains(d.Logs(x), "up\n") })
	d.Kill()
	if err := os.Remove(filepath.Join(d.Root, "state.db")); err != nil {
		t.Fatal(err)
	}
	leave := squat(d, "stuck-*")
	d.Start()
	d.Process.Says(d.Process.Stderr, "left behind")
	createJob(d, ctx, "next", single(h, "echo here"))
	if x := completedOf(d, ctx, d.Begin(ctx, "next").GetName()); x.GetSucceededCount() != 1 {
		t.Errorf("the next execution counts %v", x)
	}
	leave()
}

// squat starts a process of the host's in the cgroup of the instance whose name
// matches pattern, which cannot be removed until leave is called.
func squat(d *rig.Daemon, pattern string) (leave func()) {
	d.Host.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		d.Host.Fatal(err)
	}
	leave = sync.OnceFunc(func() {
		d.Host.Kill(cmd.Process.Pid)
		_ = cmd.Wait() // as it was told
	})
	d.Host.Cleanup(leave)
	joined := 0
	for _, root := range rig.CgroupDirs(d.Host.TB, d.Root) {
		groups, _ := filepath.Glob(filepath.Join(root, pattern, "cgroup.procs")) // the pattern is fine
		for _, g := range groups {
			if err := os.WriteFile(g, []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
				d.Host.Fatal(err)
			}
			joined++
		}
	}
	if joined == 0 {
		d.Host.Errorf("no cgroup matches %s", pattern)
	}
	return leave
}
