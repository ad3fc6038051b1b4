package cgroups

import (
	"errors"
	"maps"
	"slices"
	"testing"

	libcgroups "github.com/opencontainers/cgroups"
)

const (
	hybridMounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
38 31 0:35 / /mnt/my\040pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`
	unifiedUnderHybrid = `41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`
	unifiedMounts = `30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
44 23 0:40 / /sys/fs/cgroup/net_cls rw - cgroup cgroup rw,net_cls
`
	hybridOwn = "4:memory:/api/1\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n"
)

func TestParseHostKnowsEveryArrangement(t *testing.T) {
	t.Parallel()
	v1 := map[string]string{
		"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
		"memory": "/sys/fs/cgroup/memory", "pids": "/sys/fs/cgroup/pids",
		"name=systemd": "/sys/fs/cgroup/systemd",
	}
	for _, c := range []struct {
		name, mounts string
		mode         Mode
		unified      string
		controllers  map[string]string
	}{
		{"hybrid", hybridMounts + unifiedUnderHybrid, Hybrid, "/sys/fs/cgroup/unified", v1},
		{"v1 alone", hybridMounts, Legacy, "", v1},
		{"v2", unifiedMounts, Unified, "/sys/fs/cgroup", map[string]string{}},
	} {
		h, err := parseHost(c.mounts, hybridOwn)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if h.Mode != c.mode || h.Unified != c.unified || !maps.Equal(h.Controllers, c.controllers) {
			t.Errorf("%s: got %+v, want mode %v, unified %q, controllers %v", c.name, h, c.mode, c.unified, c.controllers)
		}
		if h.Own["memory"] != "/api/1" || h.Own[""] != "/" || h.Own["cpuacct"] != "/" {
			t.Errorf("%s: own groups %v", c.name, h.Own)
		}
	}
}

func TestParseHostWithoutCgroups(t *testing.T) {
	t.Parallel()
	for _, mounts := range []string{"", "22 1 0:1 / / rw - ext4 /dev/vda rw\n", "nonsense - cgroup\n"} {
		if h, err := parseHost(mounts, ""); !errors.Is(err, ErrNoCgroups) {
			t.Errorf("parseHost(%q) = %v, %v, want ErrNoCgroups", mounts, h, err)
		}
	}
}

func TestUnescapeMountPoints(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`/plain`: "/plain", `/a\040b\134c`: `/a b\c`, `/odd\04`: `/odd\04`, `/odd\9zz`: `/odd\9zz`, `\011`: "\t",
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMissingNamesWhatLacks(t *testing.T) {
	t.Parallel()
	h, err := parseHost(hybridMounts, hybridOwn)
	if err != nil {
		t.Fatal(err)
	}
	need, want := h.Missing()
	if !slices.Equal(need, []string{"devices"}) || !slices.Equal(want, []string{"blkio", "cpuset", "freezer"}) {
		t.Errorf("missing %v and %v", need, want)
	}
	full := &Host{Mode: Unified, Controllers: map[string]string{"cpu": "/c", "memory": "/c", "pids": "/c", "io": "/c", "cpuset": "/c"}}
	if need, want := full.Missing(); need != nil || want != nil {
		t.Errorf("a full v2 host lacks %v and %v", need, want)
	}
}

func TestDetectAgreesWithLibcontainer(t *testing.T) {
	t.Parallel()
	h, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	if unified := libcgroups.IsCgroup2UnifiedMode(); unified != (h.Mode == Unified) {
		t.Errorf("mode %v, but libcontainer says unified is %v", h.Mode, unified)
	}
	if hybrid := libcgroups.IsCgroup2HybridMode(); hybrid && h.Mode != Hybrid {
		t.Errorf("mode %v, but libcontainer says hybrid", h.Mode)
	}
	if h.Mode == Unified {
		return
	}
	for _, name := range []string{"cpu", "memory", "pids"} {
		if point, err := libcgroups.FindCgroupMountpoint("", name); err == nil && point != h.Controllers[name] {
			t.Errorf("%s is at %s, but libcontainer says %s", name, h.Controllers[name], point)
		}
	}
}
