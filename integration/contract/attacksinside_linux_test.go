package contract

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: ATK-29
func TestATK29PartsOfProcAndSysAreMaskedOrReadOnly(t *testing.T) {
	d := daemon(t)
	before := settings(t)
	masked := []string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/devices/system/cpu/cpu*/thermal_throttle"}
	readOnly := []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
	r := try(t, d, d.Host.Shell(), nil, "--args", `
		for p in `+strings.Join(masked, " ")+`; do
			if [ -d $p ]; then [ -z "$(ls -A $p)" ] || echo $p shows files; elif [ -e $p ]; then cmp -s $p /dev/null || echo $p shows text; fi
		done
		for p in `+strings.Join(readOnly, " ")+`; do [ ! -e $p ] || grep -q "^proc $p proc ro," /proc/mounts || echo $p can be written; done
		grep -q '^sysfs /sys sysfs ro,' /proc/mounts || echo /sys can be written
		for f in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/power/state \
			$(find /sys/fs/cgroup -name release_agent -o -name 'cgroup.*' -o -name notify_on_release -o -name tasks -o -name 'memory.*limit*' -o -name '*.max' -o -name 'devices.allow'); do
			{ echo 0 >$f; } 2>/dev/null && echo $f was written
		done
		mkdir $(find /sys/fs/cgroup -type d | sed 's,$,/mine,') 2>/dev/null && echo a cgroup was made
		mount -t cgroup -o rdma x /mnt 2>/dev/null && echo cgroups were mounted; mount -t cgroup2 x /mnt 2>/dev/null && echo cgroup2 was mounted
		ls /proc/self/cgroup /sys/fs/cgroup >/dev/null && echo looked`)
	if r.Log != "looked\n" {
		t.Errorf("exit %d: %s\n%s", r.Code, r.Log, r)
	}
	unchanged(t, before)
}

// contract: ATK-30
func TestATK30PrivilegesAreNotRegained(t *testing.T) {
	d := daemon(t)
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	image := func(user string) string {
		c := rig.ShellConfig()
		c.User = user
		return d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{
			imagetest.File("bin/suid", string(busybox), 0o6755), imagetest.Symlink("suid/id", "/bin/suid"),
		}}}, Config: c})
	}
	status := `sed -n 's/^\(Cap[A-Z][a-z]*\|NoNewPrivs\|Seccomp\):[[:space:]]*/\1 /p' /proc/1/status; id -u; /suid/id -u
		for n in -U -m -n -u -i -p -C; do unshare $n true 2>/dev/null && echo unshare $n; done; :`
	const docker, none = "00000000a80425fb", "0000000000000000"
	for user, want := range map[string]string{
		"":    "CapInh " + none + "\nCapPrm " + docker + "\nCapEff " + docker + "\nCapBnd " + docker + "\nCapAmb " + none + "\nNoNewPrivs 1\nSeccomp 2\n0\n0\n",
		"app": "CapInh " + none + "\nCapPrm " + none + "\nCapEff " + none + "\nCapBnd " + docker + "\nCapAmb " + none + "\nNoNewPrivs 1\nSeccomp 2\n1000\n1000\n",
	} {
		if r := try(t, d, image(user), []string{"of", user + "0"}, "--args", status); r.Log != want {
			t.Errorf("user %q has\n%swant\n%s%s", user, r.Log, want, r)
		}
	}
	for call, said := range taskSees(t, d).Powers {
		if said != "EPERM" && said != "EACCES" {
			t.Errorf("%s: %s, want EPERM or EACCES", call, said)
		}
	}
}

// contract: ATK-31
func TestATK31NobodyBecomesRootByAccident(t *testing.T) {
	d := daemon(t)
	crafted := imagetest.File("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\nover:x:4294967296:1000::/:/bin/sh\n"+
		"group:x:1001:4294967296::/:/bin/sh\nbelow:x:-4294967296:0::/:/bin/sh\n1002:x:0:0::/:/bin/sh\n", 0o644)
	huge := imagetest.File("etc/passwd", strings.Repeat("x", 9<<20), 0o644)
	for n, c := range []struct {
		user   string
		passwd imagetest.Entry
		want   string // nothing: refused
	}{
		{"app", crafted, "1000:1000"}, {"1002", crafted, "1002:0"},
		{"over", crafted, ""}, {"group", crafted, ""}, {"below", crafted, ""}, {"4294967296", crafted, ""},
		{"-1", crafted, ""}, {"1000:4294967296", crafted, ""}, {"app:nosuch", crafted, ""},
		{"app", huge, ""}, {"app", imagetest.Dir("etc/passwd/", 0o755), ""},
	} {
		r := try(t, d, d.Host.Build(imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{c.passwd}}},
			Config: imagetest.Config{Entrypoint: []string{"/bin/sh", "-c", "echo $(id -u):$(id -g)"}, User: c.user},
		}), []string{strconv.Itoa(n)})
		if got := strings.TrimSpace(r.Log); c.want != "" && got != c.want || c.want == "" && (r.Code != 1 || strings.HasPrefix(got, "0:") || strings.Contains(got, "\n0:")) {
			t.Errorf("user %q: exit %d, %s, want %q\n%s", c.user, r.Code, got, c.want, r)
		}
	}
}
