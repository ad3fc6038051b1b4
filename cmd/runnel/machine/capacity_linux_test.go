package machine

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/internal/testenv"
)

// What instances of an earlier daemon occupy is room that they have, not room
// that is lost: else a restart would make the host too small for what runs on it.
func TestSurvivorsDoNotShrinkTheHost(t *testing.T) {
	testenv.Root(t)
	const held = 256 * contract.MiB
	root := &Root{Name: "test-" + strconv.Itoa(os.Getpid())}
	host, err := cgroups.Detect()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Prepare(root.Cgroup()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Sweep(context.Background(), root.Cgroup()); err != nil {
			t.Error(err)
		}
	})
	occupy(t, filepath.Join(host.Controllers["memory"], path.Join(root.Cgroup(), "instance")), held)
	group, err := host.Group(root.Cgroup())
	if err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, time.Minute, func() bool {
		used, err := group.Occupied()
		return err == nil && used >= held
	}, "the instance occupies its memory")
	with, err := Capacity(root)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Capacity(&Root{Name: "nothing"})
	if err != nil {
		t.Fatal(err)
	}
	// What others on this host do between the two questions may be much.
	if gain := with.Memory - without.Memory; gain < held/2 {
		t.Errorf("an instance that holds %v is made up for with %v", held, gain)
	}
}

// occupy has a process in the cgroup dir hold memory until the test ends.
func occupy(t *testing.T, dir string, size contract.Bytes) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// dd fills its buffer and then waits for somebody to take it.
	cmd := exec.Command("sh", "-c", `read go; exec dd if=/dev/zero count=1 bs=`+strconv.FormatInt(int64(size), 10))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // as it was told
	})
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
}
