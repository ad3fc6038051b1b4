package contract

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// shellWithout is an image of busybox with a link in place of each of the names
// that links has: the name itself and what is below are not in it.
func shellWithout(t *testing.T, d *rig.Daemon, links map[string]string) string {
	t.Helper()
	busybox := imagetest.MustBusybox(t)
	var kept, made []imagetest.Entry
	for _, e := range busybox.Entries {
		hidden := false
		for name := range links {
			hidden = hidden || strings.Trim(e.Name, "/") == name || strings.HasPrefix(e.Name, name+"/")
		}
		if !hidden {
			kept = append(kept, e)
		}
	}
	for name, target := range links {
		made = append(made, imagetest.Dir(filepath.Dir(name)+"/", 0o755), imagetest.Symlink(name, target))
	}
	return d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{{Entries: kept}, {Entries: made}}, Config: rig.ShellConfig()})
}

// sharedAt deploys a worker pool of two containers that share a volume at a path
// of an image, as an attack on what is made there needs, and wants it refused.
func sharedAt(t *testing.T, d *rig.Daemon, image, at string) {
	t.Helper()
	name := nameOf(t, "pool")
	r := d.CLI("worker-pools", "deploy", name, "--add-volume", "name=v,type=in-memory,size-limit=1Mi",
		"--container", "one", "--image", image, "--args", "sleep 1000", "--cpu", "0.1", "--memory", "128Mi", "--add-volume-mount", "volume=v,mount-path="+at,
		"--container", "two", "--image", image, "--args", "sleep 1000", "--cpu", "0.1", "--memory", "128Mi", "--add-volume-mount", "volume=v,mount-path="+at)
	if r.Code != 1 || !strings.Contains(r.Stderr, "a volume cannot be mounted at "+at) {
		t.Errorf("a volume at %s: exit %d\n%s", at, r.Code, r)
	}
	d.CLI("worker-pools", "delete", name, "--quiet").Exits(0)
}

// contract: ATK-3
func TestATK3MasksDoNotComeFromTheImage(t *testing.T) {
	d := daemon(t)
	before := settings(t)
	image := shellWith(t, d, imagetest.Symlink("dev/null", "/proc/sys/kernel/core_pattern"), imagetest.Symlink("data", "/dev"))
	r := try(t, d, image, []string{"null"}, "--tasks", "4", "--args", `echo x >/dev/null
		stat -c %t:%T /dev/null
		for f in /proc/kcore /proc/keys /proc/timer_list; do [ ! -e $f ] || cmp -s $f /dev/null || echo $f is not masked; done
		{ echo x >/proc/sys/kernel/core_pattern; } 2>/dev/null && echo wrote`)
	if want := strings.Repeat("1:3\n", 4); r.Log != want {
		t.Errorf("exit %d, %q, want %q\n%s", r.Code, r.Log, want, r)
	}
	// Without a /dev that two share there is no racing for it.
	sharedAt(t, d, image, "/data")
	unchanged(t, before)
}

// contract: ATK-4
func TestATK4ConsoleAndTerminalsAreTheContainersOwn(t *testing.T) {
	d := daemon(t)
	before := settings(t)
	image := shellWith(t, d, imagetest.Symlink("dev/console", "/proc/sys/kernel/core_pattern"), imagetest.Symlink("dev/pts", "/proc/sys/kernel"),
		imagetest.Symlink("dev/ptmx", "/proc/sysrq-trigger"))
	r := try(t, d, image, []string{"links"}, "--args", `exec 2>&1; echo x >/dev/console; echo x >/dev/pts/0; echo x >/dev/ptmx
		[ -L /dev/console ] || [ -L /dev/pts ] && echo links; ls /dev/pts; readlink -f /dev/ptmx
		grep -c '^devpts /dev/pts devpts .*ptmxmode=666' /proc/mounts`)
	if want := "ptmx\n/dev/pts/ptmx\n1\n"; !strings.HasSuffix(r.Log, want) || strings.Contains(r.Log, "links") {
		t.Errorf("exit %d, %q, want %q\n%s", r.Code, r.Log, want, r)
	}
	sharedAt(t, d, shellWith(t, d, imagetest.Dir("dev/pts/", 0o777), imagetest.Symlink("data", "/dev/pts")), "/data")
	unchanged(t, before)
}

// contract: ATK-5
func TestATK5ProcIsTheKernels(t *testing.T) {
	d := daemon(t)
	before := settings(t)
	image := shellWith(t, d, imagetest.Dir("proc/self/attr/", 0o777), imagetest.File("proc/self/attr/exec", "mine", 0o666),
		imagetest.File("proc/self/oom_score_adj", "mine", 0o666), imagetest.Symlink("proc/self/fd", "/etc"),
		imagetest.File("proc/sys/kernel/core_pattern", "mine", 0o666), imagetest.File("proc/mounts", "mine", 0o666),
		imagetest.Symlink("data", "/proc/self/attr"))
	r := try(t, d, image, []string{"files"}, "--args", `grep -c '^proc /proc proc ' /proc/mounts; cat /proc/1/comm
		grep -l mine /proc/sys/kernel/core_pattern /proc/self/oom_score_adj /proc/self/attr/exec 2>/dev/null; :`)
	if r.Code != 0 || r.Log != "1\nsh\n" {
		t.Errorf("exit %d, %q\n%s", r.Code, r.Log, r)
	}
	sharedAt(t, d, image, "/data")
	unchanged(t, before)
}

// contract: ATK-6
func TestATK6LinksInPlaceOfDirectoriesStayInside(t *testing.T) {
	d := daemon(t)
	names := []string{"null", "hosts", "resolv.conf", "hostname", "shm", "pts", "log"}
	target := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(target, name), []byte("of the host"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for n, links := range []map[string]string{
		{"dev": target}, {"proc": target}, {"sys": target}, {"etc": target}, {"dev": "/proc/1/root" + target}, {"etc": "../../../.." + target},
		{"tmp": target}, {"var/log": target}, {"etc/resolv.conf": target + "/resolv.conf", "etc/hosts": target + "/hosts", "etc/hostname": "../.." + target + "/hostname"},
	} {
		r := try(t, d, shellWithout(t, d, links), []string{strconv.Itoa(n)}, "--args", `echo started
			for f in /dev/null /etc/hosts /etc/resolv.conf /etc/hostname /tmp/x /dev/shm/x /var/log/x; do { echo x >>$f; } 2>/dev/null; done
			cat /etc/hosts /etc/resolv.conf | grep 'of the host'; exit 0`)
		resolved, refused := r.Code == 0 && r.Log == "started\n", r.Code == 1 && !strings.Contains(r.Log, "started")
		if !resolved && !refused {
			t.Errorf("%v: exit %d, %s\n%s", links, r.Code, r.Log, r)
		}
		t.Logf("%v: resolved inside %v, refused %v", links, resolved, refused)
	}
	entries, err := os.ReadDir(target)
	if err != nil || len(entries) != len(names) {
		t.Errorf("the host's directory holds %v, %v", entries, err)
	}
	for _, name := range names {
		if text, err := os.ReadFile(filepath.Join(target, name)); string(text) != "of the host" {
			t.Errorf("the host's %s is %q, %v", name, text, err)
		}
	}
}
