package integration

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// contract: JOB-13
func TestTimeout(t *testing.T) {
	h := openHost(t)
	const line = "Terminating task because it has reached the maximum timeout of 2 seconds."
	runs := map[string]*rig.Process{}
	for name, script := range map[string]string{
		"trap":    `trap 'echo got TERM; exit 7' TERM; echo up; while :; do sleep 0.1; done`,
		"no trap": `echo up; exec sleep 1000`,
		"zero":    `trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done`,
		"family":  `trap '' TERM; (while :; do sleep 1; done) & setsid sleep 1000 & echo up; while :; do sleep 0.1; done`,
	} {
		runs[name] = h.Start(h.Script(script, "--format", "json", "--task-timeout", "2", "--max-retries", "0", "--cpu", "0.2", "--memory", "128Mi")...)
		// Its two seconds are not to pass while the images of the others are unpacked.
		runs[name].Says(runs[name].Stdout, `"up"`)
	}
	for name, p := range runs {
		o := readJSON(p.Wait().Exits(1))
		got := o.task(0)
		if got.State != "Failed" || got.Message != "The task reached its maximum timeout." {
			t.Errorf("%s: %+v", name, got)
		}
		if !strings.Contains(o.text(0, "system"), line) {
			t.Errorf("%s: no line announces the timeout\n%s", name, o.Result)
		}
		switch name {
		case "trap":
			if got.ExitCode == nil || *got.ExitCode != 7 || o.text(0, "stdout") != "up\ngot TERM" {
				t.Errorf("%s: %+v\n%s", name, got, o.Result)
			}
		case "zero":
			if got.ExitCode == nil || *got.ExitCode != 0 {
				t.Errorf("%s: %+v, want exit code 0 and a failure all the same", name, got)
			}
		default:
			if got.Signal != 9 || got.Seconds < 11.9 {
				t.Errorf("%s: %+v, want signal 9 after 12 s", name, got)
			}
		}
	}
}

// contract: JOB-4
func TestEachAttemptHasItsOwnTimeout(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	o := runJSON(h, h.Script(`trap 'exit 1' TERM; [ $CLOUD_RUN_TASK_ATTEMPT = 2 ] && exit 0; sleep 1000 & wait`,
		"--task-timeout", "1s", "--max-retries", "2")...)
	o.Exits(0)
	if got := o.task(0); got.Attempts != 3 || got.Seconds < 2 {
		t.Errorf("%+v, want three attempts in two seconds or more", got)
	}
}

// contract: JOB-14 MEM-3 FS-1 FS-2 ATK-27
func TestMemoryLimit(t *testing.T) {
	h := openHost(t)
	// The kernel may end dd alone at first: the shell then waits for its own end.
	fill := func(file string) string {
		return "dd if=/dev/zero of=" + file + " bs=1M count=200 && echo written && exit; [ $? = 1 ] && exit 1; sleep 1000"
	}
	for name, script := range map[string]string{
		"memory":     `exec tail /dev/zero`,
		"by a child": `tail /dev/zero; echo the child is dead; exit 1`,
		"the root":   fill("/fill"), "tmp": fill("/tmp/fill"), "shm": fill("/dev/shm/fill"),
	} {
		o := runJSON(h, h.Script(script, "--memory", "128Mi", "--max-retries", "1")...)
		if name == "shm" && o.execution.Tasks[0].Message == "The container exited with an error." {
			o.Exits(1) // /dev/shm may have a size of its own; the limit holds either way
			continue
		}
		o.Exits(1)
		if got := o.task(0); got.Message != "The configured memory limit was reached." || got.Attempts != 2 || got.State != "Failed" {
			t.Errorf("%s: %+v\n%s", name, got, o.Result)
		}
		if name == "by a child" {
			continue
		}
		if got := strings.Count(o.text(0, "system"), "Container terminated on signal 9."); got != 2 {
			t.Errorf("%s: the end is told %d times, want 2\n%s", name, got, o.Result)
		}
		if strings.Contains(o.Stdout, "written") {
			t.Errorf("%s: 200 MiB fit into 128\n%s", name, o.Result)
		}
	}
}

// contract: FS-1 FS-3 FS-4 FS-5 MEM-3
func TestRootIsMemoryAndForgets(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(`
		for f in /x /tmp/x /var/log/x /dev/shm/x /home/app/x; do
			[ -e $f ] && echo $f is there already
			echo mine >$f && [ "$(cat $f)" = mine ] || echo cannot write $f
		done
		rm /etc/group && mv /bin/true /bin/wahr && chmod 700 /etc || echo cannot change
		dd if=/dev/zero of=/more bs=1M count=50 2>/dev/null && rm /more || echo cannot write 50 MiB
		grep -q '^overlay / overlay rw' /proc/mounts || grep ' / ' /proc/mounts
		exit $((CLOUD_RUN_TASK_ATTEMPT == 0))`, "--tasks", "2", "--memory", "128Mi")...)
	o.Exits(0)
	for i := range 2 {
		if got := o.text(i, "stdout"); got != "" || o.task(i).Attempts != 2 {
			t.Errorf("task %d: %+v\n%s", i, o.task(i), got)
		}
	}
}

// contract: JOB-15
func TestSignals(t *testing.T) {
	h := openHost(t)
	image := h.Build(imagetest.Build{Layers: []imagetest.Layer{{Entries: []imagetest.Entry{
		imagetest.File("ill", rig.Executable(elf.EM_X86_64, []byte{0x0f, 0x0b}), 0o755),                    // ud2
		imagetest.File("segv", rig.Executable(elf.EM_X86_64, []byte{0x8b, 0x04, 0x25, 0, 0, 0, 0}), 0o755), // mov eax, [0]
		imagetest.File("bus", rig.Executable(elf.EM_X86_64, rig.ReadBeyondEnd()), 0o755),
	}}}})
	for program, signal := range map[string]int{"/ill": 4, "/segv": 11, "/bus": 7} {
		o := runJSON(h, "--image", image, "--command", program, "--max-retries", "0")
		o.Exits(1)
		want := fmt.Sprintf("Container terminated on signal %d.", signal)
		if got := o.task(0); got.Signal != signal || got.ExitCode != nil || got.Message != want {
			t.Errorf("%s: %+v, want signal %d", program, got, signal)
		}
		if got := o.text(0, "system"); !strings.Contains(got, want) {
			t.Errorf("%s: the log says %q", program, got)
		}
	}
}

// contract: JOB-8 JOB-15
func TestExitCodes(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	o := runJSON(h, h.Script(`exit $((CLOUD_RUN_TASK_INDEX * 85))`, "--tasks", "4", "--max-retries", "0")...)
	o.Exits(1)
	for i, want := range []int{0, 85, 170, 255} {
		if got := o.task(i); got.ExitCode == nil || *got.ExitCode != want || (got.State == "Succeeded") != (want == 0) {
			t.Errorf("task %d: %+v, want exit code %d", i, got, want)
		}
	}
}

// contract: JOB-15
func TestKilledFromOutsideIsNotOOM(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	p := h.Start(h.Script(`echo up; exec sleep 1000`, "--format", "json", "--max-retries", "0")...)
	p.Says(p.Stdout, `"up"`)
	shim, victim := p.Shim(), 0
	// It has said so before it becomes what is killed.
	testenv.Eventually(t, rig.Patience(), func() bool {
		for _, c := range rig.ChildrenOf(shim) {
			if line, _ := os.ReadFile("/proc/" + strconv.Itoa(c) + "/cmdline"); strings.HasPrefix(string(line), "sleep\x00") {
				victim = c
			}
		}
		return victim != 0
	}, "the task sleeps")
	h.Kill(victim)
	o := readJSON(p.Wait().Exits(1))
	if got := o.task(0); got.Signal != 9 || got.Message != "Container terminated on signal 9." {
		t.Errorf("%+v", got)
	}
}

// contract: CPU-1 CPU-2 MEM-1 JOB-9
func TestCgroupSettings(t *testing.T) {
	h := openHost(t)
	for _, c := range []struct {
		flags              []string
		quota, memory, max string
	}{
		{nil, "100000", "536870912", "100000 100000"},
		{[]string{"--cpu", "0.25", "--memory", "200Mi"}, "25000", "209715200", "25000 100000"},
		{[]string{"--cpu", "2", "--memory", "1Gi"}, "200000", "1073741824", "200000 100000"},
	} {
		root := h.KeptRoot()
		p := h.Start(append(h.Script(`echo up; trap 'exit 0' TERM; sleep 1000 & wait`, "--root", root), c.flags...)...)
		p.Says(p.Stdout, "up")
		found := 0
		for _, dir := range rig.CgroupDirs(t, root) {
			for file, want := range map[string]string{
				"cpu.cfs_quota_us": c.quota, "cpu.max": c.max, "memory.limit_in_bytes": c.memory, "memory.max": c.memory,
			} {
				files, _ := filepath.Glob(filepath.Join(dir, "*", file)) // the pattern is fine
				for _, f := range files {
					found++
					if got, _ := os.ReadFile(f); strings.TrimSpace(string(got)) != want {
						t.Errorf("%v: %s is %q, want %s", c.flags, f, got, want)
					}
				}
			}
		}
		if found < 2 {
			t.Errorf("%v: found %d settings in %q", c.flags, found, rig.CgroupDirs(t, root))
		}
		p.Signal(syscall.SIGINT)
		p.Wait().Exits(130)
	}
}

// Tasks that do not fit together wait for each other; one that never fits is
// refused with the numbers.
func TestCapacity(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	h.Run(h.Script(`true`, "--memory", "32Gi", "--cpu", "8")...).Exits(1).Explains("32", "Gi")
	began := time.Now()
	r := h.Run(h.Script(`sleep 0.2`, "--tasks", "4", "--cpu", "2")...).Exits(0)
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("four tasks of two CPUs took %v on this host\n%s", took, r)
	}
}

// contract: LIM-1
func TestOpenFileLimitOf25000(t *testing.T) {
	h := openHost(t)
	testenv.Require(t, testenv.NoFile)
	o := runJSON(h, h.Script(`ulimit -Sn; ulimit -Hn; sh -c 'ulimit -n'; ulimit -n 25001 2>/dev/null && echo raised; exit 0`)...)
	o.Exits(0)
	if o.text(0, "stdout") != "25000\n25000\n25000" {
		t.Errorf("limits %q", o.text(0, "stdout"))
	}
}

// contract: LIM-7
func TestProductName(t *testing.T) {
	h := openHost(t)
	testenv.Require(t, testenv.DMI)
	if r := h.Run(h.Script(`cat /sys/class/dmi/id/product_name`)...).Exits(0); !strings.HasPrefix(r.Stdout, "0 stdout Google Compute Engine\n") {
		t.Errorf("the machine is called\n%s", r)
	}
}
