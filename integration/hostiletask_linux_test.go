package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: LIM-3 LIM-11 ATK-2 ATK-29 ATK-30
// What a task, root in its container, must not be able to do.
func TestWhatATaskMayNotDo(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(`
		try() { "$@" >/dev/null 2>&1 && echo "could: $*"; }
		put() { { echo x >"$1"; } 2>/dev/null && echo "could write $1"; }
		for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/overcommit_memory /proc/sys/net/ipv4/ip_forward \
			/proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/uevent_helper /sys/power/state \
			$(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs -o -name memory.limit_in_bytes -o -name memory.max -o -name cpu.max); do put $f; done
		for f in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug; do [ -s $f ] && head -c 1 $f | grep -q . && echo "could read $f"; done
		ls -A /sys/firmware /proc/scsi /proc/acpi 2>/dev/null | grep -v -e ^/ -e '^$' | sed 's/^/sees /'
		try mount -t tmpfs x /tmp; try mount -o remount,rw /proc/sys; try mount -o bind / /mnt; try umount /proc; try umount /proc/sys
		try mknod /tmp/sda b 8 0; try mknod /tmp/kmsg c 1 11; [ -c /tmp/kmsg ] && try dd if=/tmp/kmsg of=/dev/null bs=1 count=1
		[ -b /tmp/sda ] && try dd if=/tmp/sda of=/dev/null bs=1 count=1
		try hostname other; try unshare -m true; try unshare -U true; try nsenter -t 1 -m true; try chroot / sh -c 'mount -t tmpfs x /tmp'
		try insmod /x.ko; try reboot -f; date -s 2001-01-01 >/dev/null 2>&1; [ $(date +%Y) = 2001 ] && echo could set the clock; try sysctl -w kernel.panic=1; try swapoff -a; try nice -n -5 true; try dmesg
		try ping -c 1 -W 1 -I eth0 127.1.2.3
		(ls /proc/1/fd) >/tmp/fds # not into a pipe, which the shell would hold one end of for a moment
		tr '\n' ' ' </tmp/fds; echo
		sed -n 's/^\(CapEff\|CapBnd\|CapPrm\|CapInh\|CapAmb\|NoNewPrivs\|Seccomp\):[[:space:]]*/\1 /p' /proc/1/status
		cat /proc/1/environ | tr '\0' '\n' | cut -d= -f1 | sort | tr '\n' ' '; echo
		[ $(ps -o pid | wc -l) -lt 8 ] || ps`, "--max-retries", "0")...)
	texts := o.texts(0, "stdout")
	var could, rest []string
	for _, text := range texts {
		if strings.HasPrefix(text, "could") || strings.HasPrefix(text, "sees") {
			could = append(could, text)
		} else {
			rest = append(rest, text)
		}
	}
	// Making a device node is in docker's default set; opening it is not.
	for _, text := range could {
		if !strings.HasPrefix(text, "could: mknod") {
			t.Errorf("the task %s", text)
		}
	}
	// The default capabilities of docker, nothing inheritable or ambient.
	want := `0 1 2 ` + "\nCapInh 0000000000000000\nCapPrm 00000000a80425fb\nCapEff 00000000a80425fb\nCapBnd 00000000a80425fb\nCapAmb 0000000000000000\nNoNewPrivs 1\nSeccomp 2\n" +
		"CLOUD_RUN_EXECUTION CLOUD_RUN_JOB CLOUD_RUN_TASK_ATTEMPT CLOUD_RUN_TASK_COUNT CLOUD_RUN_TASK_INDEX HOME PATH "
	if got := strings.Join(rest, "\n"); got != want {
		t.Errorf("the task sees\n%s\nwant\n%s\n%s", got, want, o.text(0, "stderr"))
	}
}

// contract: LIM-3 LIM-4 ATK-30
func TestSetuidAndSu(t *testing.T) {
	h := openHost(t)
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	image := h.Build(imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{
		imagetest.File("bin/suid", string(busybox), 0o4755), imagetest.Symlink("suid/id", "/bin/suid"),
	}}}, Config: rig.ShellConfig()})
	r := h.Run("--image", image, "--args", `su app -s /bin/sh -c 'id -u; /suid/id -u'`).Exits(0)
	if strings.Count(r.Stdout, "0 stdout 1000\n") != 2 {
		t.Errorf("su from root, and then a setuid program\n%s", r)
	}
}

// contract: ATK-1
// A container that tries to overwrite the program that started it.
func TestRuntimeCannotBeOverwritten(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	shim := filepath.Join(filepath.Dir(h.Runnel), "runnel-shim")
	before := hashOf(t, shim)
	o := runJSON(h, h.Script(`
		n=0
		while [ $n -lt 400 ]; do
			for p in /proc/[0-9]*/exe /proc/self/exe; do { echo evil >$p; } 2>/dev/null && echo wrote $p; done
			for p in /proc/1/fd/[3-9] /proc/self/fd/[3-9]; do { echo evil >$p; } 2>/dev/null && echo wrote $p; done
			n=$((n + 1))
		done; echo done`, "--tasks", "4", "--max-retries", "0", "--cpu", "0.5", "--memory", "128Mi")...)
	o.Exits(0)
	for i := range 4 {
		if got := o.text(i, "stdout"); got != "done" {
			t.Errorf("task %d: %s", i, rig.Clip(got))
		}
	}
	if hashOf(t, shim) != before {
		t.Error("the shim's program is not what it was")
	}
}

// contract: ENV-7 ATK-28
func TestHostileEnvironmentAndArguments(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	value := strings.Repeat("v", 32768)
	var many []string
	for i := range 900 {
		many = append(many, fmt.Sprintf("N%d=%d", i, i))
	}
	for name, c := range map[string]struct {
		env, arg string
		script   string
		want     string
	}{
		"largest value":   {env: "BIG=" + value, script: `echo ${#BIG}`, want: "32768"},
		"many":            {env: strings.Join(many, ","), script: `echo $N0 $N899; env | grep -c ^N[0-9]`, want: "0 899\n900"},
		"odd names":       {env: "a.b=1,*=2,a b=3,LD_PRELOAD=/x,ä=4,-n=5", script: `tr '\0' '\n' </proc/1/environ | grep -e a.b -e '^\*' -e 'a b' -e LD_ -e ä -e ^-n`, want: "a.b=1\n*=2\na b=3\nLD_PRELOAD=/x\nä=4\n-n=5"},
		"odd values":      {env: `A=$(id),B=%s%n,C=a;b|c,D='"`, script: `echo "$A $B $C $D"`, want: `$(id) %s%n a;b|c '"`},
		"large argument":  {arg: strings.Repeat("x", 100_000), script: `echo ${#0}`, want: "100000"},
		"odd argument":    {arg: "--flag $HOME `id` %s \\ ' \"", script: `echo "$0"`, want: "--flag $HOME `id` %s \\ ' \""},
		"lines":           {arg: "a\nb", script: `echo "$0"`, want: "a\nb"},
		"hostname as env": {env: "HOSTNAME=../../x", script: `echo $HOSTNAME; hostname | grep -c /`, want: "../../x\n0"},
	} {
		args := []string{"--max-retries", "0", "--args", "^\x01^" + c.script + "\x01" + c.arg}
		if c.arg == "" {
			args[3] = "^\x01^" + c.script
		}
		if c.env != "" {
			args = append(args, "--set-env-vars", c.env)
		}
		o := runJSON(h, append(args, "--image", h.Shell())...)
		if got := o.text(0, "stdout"); got != c.want {
			t.Errorf("%s: exit %d, %q, want %q\n%s", name, o.Code, rig.Clip(got), c.want, rig.Clip(o.Stderr))
		}
	}
	// About as much as the kernel passes on to a program.
	args := h.Script(`env | grep -c ^V[0-9]`)
	for i := range 45 {
		args = append(args, "--set-env-vars", fmt.Sprintf("V%d=%s", i, value))
	}
	if o := runJSON(h, args...).Exits(0); !strings.Contains(o.Stdout, `"45"`) {
		t.Errorf("45 large variables\n%s", o)
	}
}

// contract: ATK-24
// A fork bomb stays within its task, and goes with it.
func TestForkBomb(t *testing.T) {
	h := openHost(t)
	script := `if [ $CLOUD_RUN_TASK_INDEX = 0 ]; then
			bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 3; exit 5
		fi
		n=0; while [ $n -lt 20 ]; do true | true || exit 1; sleep 0.1; n=$((n + 1)); done; echo survived`
	o := runJSON(h, h.Script(script, "--tasks", "2", "--parallelism", "2", "--max-retries", "0", "--cpu", "0.5", "--memory", "256Mi", "--task-timeout", "60")...)
	o.Exits(1)
	if got := o.text(1, "stdout"); got != "survived" || o.task(1).State != "Succeeded" {
		t.Errorf("the other task: %+v, %q", o.task(1), got)
	}
	if o.task(0).State != "Failed" {
		t.Errorf("the bomb: %+v", o.task(0))
	}
}

// Many files in a task's memory go away with it, soon.
func TestManyFiles(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	files := 60_000
	if testing.Short() {
		files = 5_000
	}
	o := runJSON(h, h.Script(fmt.Sprintf(`mkdir /tmp/d; cd /tmp/d; seq %d | xargs touch; ls | wc -l`, files), "--tasks", "2", "--cpu", "0.5")...)
	o.Exits(0)
	for i := range 2 {
		if got := strings.TrimSpace(o.text(i, "stdout")); got != fmt.Sprint(files) {
			t.Errorf("task %d has %s files", i, got)
		}
	}
}
