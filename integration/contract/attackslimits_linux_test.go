package contract

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// runningWith are the command lines of processes with a word in them.
func runningWith(t *testing.T, word string) (lines []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && bytes.Contains(line, []byte(word)) {
			lines = append(lines, filepath.Dir(f)+": "+string(line))
		}
	}
	return lines
}

// contract: ATK-24
func TestATK24BombsStayInTheirInstance(t *testing.T) {
	d := daemon(t)
	bomb := "bomb" + word() // another run of the tests may have one on this host
	r := try(t, d, d.Host.Shell(), nil, "--tasks", "2", "--task-timeout", "180", "--args", strings.ReplaceAll(`
		if [ $CLOUD_RUN_TASK_INDEX = 0 ]; then
			cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null
			BOMB() { BOMB | BOMB & }; BOMB 2>/dev/null; sleep 5; exit 5
		fi
		n=0; while [ $n -lt 10 ]; do true | true || exit 1; sleep 0.1; n=$((n + 1)); done; echo survived`, "BOMB", bomb))
	if r.Code != 1 || !strings.Contains(r.Log, "survived\n") || strings.Count(r.Stderr, "failed with") != 1 || !strings.Contains(r.Stderr, "task0 failed with") {
		t.Errorf("exit %d, want the bomb alone to fail\n%s%s", r.Code, rig.Clip(r.Log), r)
	}
	if !strings.HasPrefix(r.Log, "8192\n") && !strings.Contains(r.Log, "\n8192\n") {
		t.Errorf("the bomb may have this many processes: %s", rig.Clip(r.Log))
	}
	var left []string
	d.Eventually("the bomb is gone", func() bool { left = runningWith(t, bomb); return len(left) == 0 })
}

// contract: ATK-25
func TestATK25OpenFilesAreTakenFromNobody(t *testing.T) {
	d := daemon(t)
	d.Deploy(nameOf(t), "--max-instances", "1", "--memory", "512Mi").Exits(0)
	type held struct {
		Kept, Answered int
		Error          string
	}
	var files, doors held
	// Each would be a descriptor of the daemon's. It takes 128 of an instance.
	d.Get(nameOf(t), "/hold?to=169.254.169.254:80&n=300&path=/computeMetadata/v1/project/project-id").Is(d.Host, 200).Decode(d.Host, &doors)
	if doors.Kept == 0 || doors.Answered == 0 || doors.Answered > 128 {
		t.Errorf("of %d connections to the metadata server %d are answered, want 128 at most", doors.Kept, doors.Answered)
	}
	d.Get(nameOf(t), "/hold").Is(d.Host, 200).Decode(d.Host, &files)
	if !strings.Contains(files.Error, "too many open files") || files.Kept+doors.Kept < 10_000 {
		t.Errorf("%d files: %s", files.Kept, files.Error)
	}
	r := try(t, d, d.Host.Inside(), []string{"other"}, "--args", "open\x01most=5000")
	if r.Exits(0); !strings.Contains(r.Log, `"opened": 5000`) {
		t.Errorf("another instance opens %s", r.Log)
	}
	d.Get(nameOf(t), "/env").Is(d.Host, 200)
	d.CLI("services", "delete", nameOf(t), "--quiet").Exits(0)
}

// contract: ATK-26
func TestATK26FloodsOfOutputCostBoundedDisk(t *testing.T) {
	d := daemon(t)
	flood := nameOf(t, "flood")
	t.Cleanup(func() { d.CLI("jobs", "delete", flood, "--quiet").Exits(0) })
	d.CLI("jobs", "deploy", flood, "--image", d.Host.Shell(), "--max-retries", "0", "--cpu", "1", "--memory", "512Mi", "--execute-now", "--args", "^\x01^"+`
		head -c 127 /dev/zero | tr '\0' x >/line; echo >>/line
		i=0; while [ $i -lt 13 ]; do cat /line /line >/more; mv /more /line; i=$((i + 1)); done
		i=0; while [ $i -lt 40 ]; do cat /line; i=$((i + 1)); done
		head -c 3000000 /dev/zero | tr '\0' y; echo; echo the end; exec 2>&-; exec >&-; echo nowhere; exit 0`).Exits(0)
	r := try(t, d, d.Host.Shell(), []string{"odd"}, "--args", `printf 'a\000b\377c\r\n\033[31mred\n\n'; seq 200; printf 'no end'`)
	if r.Exits(0); !strings.Contains(r.Log, "\n1\n2\n3\n") || !strings.Contains(r.Log, "\n200\nno end") || !strings.Contains(r.Log, "\x1b[31mred\n") {
		t.Errorf("another task's log is %q", rig.Clip(r.Log))
	}
	d.Eventually("the flood ends", func() bool {
		size, files := int64(0), glob(t, filepath.Join(d.Root, "logs", flood+"*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				size += info.Size()
			}
		}
		if size > 36<<20 {
			t.Fatalf("%d bytes in %q", size, files)
		}
		return d.CLI("jobs", "executions", "list", "--job", flood, "--format", "value(status.succeededCount)").Stdout == "1\n"
	})
	if log := d.CLI("jobs", "logs", flood, "--limit", "1", "--format", "value(textPayload)").Exits(0).Stdout; log != "the end\n" {
		t.Errorf("the last line is %q", rig.Clip(log))
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// contract: ATK-27
func TestATK27FilesAreTheInstancesOwnMemory(t *testing.T) {
	d := daemon(t)
	for name, script := range map[string]string{
		"root": `dd if=/dev/zero of=/fill bs=1M count=200 && echo written`,
		"tmp":  `dd if=/dev/zero of=/tmp/fill bs=1M count=200 && echo written`,
		"shm":  `dd if=/dev/zero of=/dev/shm/fill bs=1M count=120 && dd if=/dev/zero of=/fill bs=1M count=80 && echo written`,
		// Whichever process the kernel ends first, the others wait for their end.
		"names": `mkdir /tmp/d; cd /tmp/d; seq 400000 | xargs touch; sleep 20; echo written`,
	} {
		r := try(t, d, d.Host.Shell(), []string{name}, "--cpu", "1", "--args", script)
		if r.Code != 1 || strings.Contains(r.Log, "written") || !strings.Contains(r.Stderr, "The configured memory limit was reached.") {
			t.Errorf("%s: exit %d\n%s%s", name, r.Code, rig.Clip(r.Log), r)
		}
	}
}
