package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// An instance that nobody knows any more and that cannot be removed keeps no
// daemon from coming up.
func TestDaemonComesUpDespiteAWedgedInstance(t *testing.T) {
	hostOnly(t, "it waits out the removal of a cgroup")
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(3 * patience())
	d.createJob(ctx, "stuck", single(h, "echo up; sleep 1000"))
	x := d.begin(ctx, "stuck")
	d.eventually("the task runs", func() bool { return strings.Contains(d.logs(x), "up\n") })
	d.kill()
	if err := os.Remove(filepath.Join(d.root, "state.db")); err != nil {
		t.Fatal(err)
	}
	leave := d.squat("stuck-*")
	d.start()
	if !strings.Contains(d.process.stderr.String(), "left behind") {
		t.Errorf("nothing is said of it\n%s", d.process.stderr)
	}
	d.createJob(ctx, "next", single(h, "echo here"))
	if x := d.completed(ctx, d.begin(ctx, "next").GetName()); x.GetSucceededCount() != 1 {
		t.Errorf("the next execution counts %v", x)
	}
	leave()
}

// squat starts a process of the host's in the cgroup of the instance whose name
// matches pattern, which cannot be removed until leave is called.
func (d *daemon) squat(pattern string) (leave func()) {
	d.h.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		d.h.Fatal(err)
	}
	leave = sync.OnceFunc(func() {
		d.h.kill(cmd.Process.Pid)
		_ = cmd.Wait() // as it was told
	})
	d.h.Cleanup(leave)
	joined := 0
	for _, root := range cgroupDirs(d.h.T, d.root) {
		groups, _ := filepath.Glob(filepath.Join(root, pattern, "cgroup.procs")) // the pattern is fine
		for _, g := range groups {
			if err := os.WriteFile(g, []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
				d.h.Fatal(err)
			}
			joined++
		}
	}
	if joined == 0 {
		d.h.Errorf("no cgroup matches %s", pattern)
	}
	return leave
}
