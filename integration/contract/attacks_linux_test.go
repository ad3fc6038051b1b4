package contract

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// trial is what became of a job of one task without retries.
type trial struct {
	rig.Result
	// Log is what the task has printed, and what the system said about it.
	Log string
}

// try runs an image as a job to its end, whatever that is. What it is called is
// made of more, where a test has several. Commas mean nothing in --args.
func try(t *testing.T, d *rig.Daemon, image string, more []string, flags ...string) trial {
	t.Helper()
	name := nameOf(t, more...)
	if i := slices.Index(flags, "--args"); i >= 0 {
		flags = slices.Clone(flags)
		flags[i+1] = "^\x01^" + flags[i+1]
	}
	t.Cleanup(func() { d.CLI("jobs", "delete", name, "--quiet") }) // if there is one: it may have been refused
	r := d.CLI(append([]string{"jobs", "deploy", name, "--image", image, "--max-retries", "0",
		"--cpu", "0.2", "--memory", "128Mi", "--execute-now", "--wait"}, flags...)...)
	return trial{r, d.CLI("jobs", "logs", name, "--limit", "500", "--format", "value(textPayload)").Exits(0).Stdout}
}

// shellWith is an image of busybox, whose entrypoint is "sh -c", and more entries.
func shellWith(t *testing.T, d *rig.Daemon, entries ...imagetest.Entry) string {
	t.Helper()
	return d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: entries}},
		Config: rig.ShellConfig(),
	})
}

// settings are files of the kernel by which who writes to them rules the host.
func settings(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, f := range []string{"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory"} {
		if text, err := os.ReadFile(f); err == nil {
			found[f] = string(text)
		}
	}
	return found
}

// unchanged fails the test if a setting is not what it was.
func unchanged(t *testing.T, before map[string]string) {
	t.Helper()
	for f, now := range settings(t) {
		if now != before[f] {
			t.Errorf("%s was %q and is %q", f, before[f], now)
		}
	}
}

// shimOf is the process that starts the containers of a daemon.
func shimOf(t *testing.T, d *rig.Daemon) (pid int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		line, _ := os.ReadFile(dir + "/cmdline") // it may have ended
		if bytes.Contains(line, []byte("--dir\x00"+filepath.Join(d.Root, "shim")+"\x00")) {
			if pid, err = strconv.Atoi(filepath.Base(dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if pid == 0 {
		t.Fatal("no process starts containers")
	}
	return pid
}

// contract: ATK-1
func TestATK1ContainersCannotWriteToTheirStarter(t *testing.T) {
	d := daemon(t)
	file := testenv.Binary(t, "runnel-shim")
	hash := func() [32]byte {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(text)
	}
	before := hash()
	image := shellWith(t, d, imagetest.File("self", "#!/proc/self/exe\n", 0o755))
	r := try(t, d, image, []string{"write"}, "--args", `n=0
		while [ $n -lt 100 ]; do
			for p in /proc/[0-9]*/exe /proc/self/exe /proc/1/fd/[3-9] /proc/self/fd/[3-9]; do { echo evil >$p; } 2>/dev/null && echo wrote $p; done
			n=$((n + 1))
		done; echo over`)
	if r.Exits(0); r.Log != "over\n" {
		t.Errorf("the task says %s", rig.Clip(r.Log))
	}
	for n, c := range []struct{ command, why string }{
		{"/proc/self/exe", `entrypoint "/proc/self/exe" does not exist in the image`},
		{"/proc/1/exe", `entrypoint "/proc/1/exe" does not exist in the image`},
		{"/self", `entrypoint "/self" needs the interpreter /proc/self/exe, which the image lacks`},
	} {
		r := try(t, d, image, []string{strconv.Itoa(n)}, "--command", c.command, "--args", "init")
		if r.Code != 1 || r.Log != "" || !strings.Contains(r.Stderr, c.why) {
			t.Errorf("%s as the entrypoint: exit %d\n%s%s", c.command, r.Code, r, r.Log)
		}
	}
	if hash() != before {
		t.Error("the program is not what it was")
	}
	// Whoever gets at it, by a way that nobody knows yet, cannot write either.
	exe, err := os.Open("/proc/" + strconv.Itoa(shimOf(t, d)) + "/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(exe.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		t.Errorf("the program that starts containers has the seals %#x, %v, want %#x", seals, err, want)
	}
}

// contract: ATK-2
func TestATK2NoDescriptorOfTheHostsIsOpen(t *testing.T) {
	d := daemon(t)
	// Not into a pipe, which the shell would hold one end of for a moment.
	r := try(t, d, d.Host.Shell(), []string{"open"}, "--args", `(ls /proc/1/fd) >/tmp/fds; cat /tmp/fds; pwd`)
	if r.Exits(0); r.Log != "0\n1\n2\n/\n" {
		t.Errorf("open descriptors and directory are %q", r.Log)
	}
	for n, dir := range []string{"/proc/self/fd/7", "/proc/1/fd/8", "/proc/self/fd/3", "/proc/thread-self/fd/../fd/4"} {
		r := try(t, d, d.Host.Build(imagetest.Build{
			Layers: []imagetest.Layer{imagetest.MustBusybox(t)},
			Config: imagetest.Config{Entrypoint: []string{"/bin/echo", "started"}, WorkingDir: dir},
		}), []string{strconv.Itoa(n)})
		if r.Code != 1 || strings.Contains(r.Log, "started") {
			t.Errorf("working directory %s: exit %d\n%s%s", dir, r.Code, r, r.Log)
		}
	}
}

// contract: ATK-8
func TestATK8NoProgramRestoresCheckpoints(t *testing.T) {
	daemon(t)
	for _, program := range []string{"runnel", "runnel-shim"} {
		file := testenv.Binary(t, program)
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, dep := range info.Deps {
			if strings.Contains(dep.Path, "go-criu") {
				t.Errorf("%s holds %s", program, dep.Path)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"criuSwrk", "/go-criu/", "libcontainer.(*Container).Restore"} {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s holds %s", program, word)
			}
		}
	}
}
