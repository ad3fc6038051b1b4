package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// machine skips a test outside the machine that this program sets up.
func machine(t *testing.T) {
	t.Helper()
	if os.Getenv(testenv.EnvVM) != "1" {
		t.Skip("describes the machine of the VM run")
	}
	testenv.Root(t)
	testenv.Require(t, testenv.CgroupV2, testenv.NoFile, testenv.DMI)
}

func TestMachineHasEveryController(t *testing.T) {
	machine(t)
	have, err := os.ReadFile("/sys/fs/cgroup/cgroup.subtree_control")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cpuset", "cpu", "io", "memory", "pids"} {
		if !slices.Contains(strings.Fields(string(have)), want) {
			t.Errorf("the children of the root cgroup do not get %s, only %s", want, have)
		}
	}
}

// The modules of these are loaded by the kernel when somebody asks.
func TestMachineLoadsModulesOnDemand(t *testing.T) {
	machine(t)
	testenv.NoLeaks(t)
	for _, link := range []string{"veth", "bridge"} {
		out, err := exec.Command("ip", "link", "add", "probe0", "type", link).CombinedOutput()
		if err != nil {
			t.Fatalf("add a %s: %v\n%s", link, err, out)
		}
		if out, err := exec.Command("ip", "link", "del", "probe0").CombinedOutput(); err != nil {
			t.Fatalf("remove the %s: %v\n%s", link, err, out)
		}
	}
}

func TestMachineMountsOverlayWithTmpfsUpper(t *testing.T) {
	machine(t)
	testenv.NoLeaks(t)
	dir := t.TempDir()
	lower, upper, merged := filepath.Join(dir, "lower"), filepath.Join(dir, "upper"), filepath.Join(dir, "merged")
	if err := errors.Join(os.Mkdir(lower, 0o755), os.Mkdir(upper, 0o755), os.Mkdir(merged, 0o755)); err != nil {
		t.Fatal(err)
	}
	mount(t, "tmpfs", upper, "")
	if err := errors.Join(os.Mkdir(upper+"/data", 0o755), os.Mkdir(upper+"/work", 0o755)); err != nil {
		t.Fatal(err)
	}
	mount(t, "overlay", merged, "lowerdir="+lower+",upperdir="+upper+"/data,workdir="+upper+"/work")
	if err := os.WriteFile(merged+"/file", nil, 0o600); err != nil {
		t.Error(err)
	}
}

// mount mounts a file system until the test ends.
func mount(t *testing.T, kind, dir, data string) {
	t.Helper()
	if err := unix.Mount(kind, dir, kind, 0, data); err != nil {
		t.Fatalf("mount %s: %v", kind, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

func TestMachineRunsOnARealDisk(t *testing.T) {
	machine(t)
	var fs unix.Statfs_t
	if err := unix.Statfs(t.TempDir(), &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Type != unix.EXT4_SUPER_MAGIC {
		t.Errorf("temporary files lie on file system %#x, want ext4", fs.Type)
	}
}
