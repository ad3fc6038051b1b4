package integration

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"runnel/integration/rig"
)

// contract: JOB-1 JOB-2 JOB-4 JOB-6 CPU-2 CPU-3 MEM-4 ENV-9
// What the command line alone shows to be wrong: exit 2, and a line that names
// the flag, the value and what would be right.
func TestBadUsage(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	image := h.Shell()
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"--image", image, "--tasks", "0"}, []string{"--tasks 0", "1 to 10000"}},
		{[]string{"--image", image, "--tasks", "-1"}, []string{"--tasks -1"}},
		{[]string{"--image", image, "--tasks", "10001"}, []string{"--tasks 10001", "10000"}},
		{[]string{"--image", image, "--tasks", "4294967297"}, []string{"--tasks 4294967297"}},
		{[]string{"--image", image, "--tasks", "two"}, []string{"--tasks two", "whole number"}},
		{[]string{"--image", image, "--tasks", "2", "--parallelism", "3"}, []string{"--parallelism 3"}},
		{[]string{"--image", image, "--parallelism", "-1"}, []string{"--parallelism -1"}},
		{[]string{"--image", image, "--max-retries", "11"}, []string{"--max-retries 11", "0 to 10"}},
		{[]string{"--image", image, "--max-retries", "-1"}, []string{"--max-retries -1"}},
		{[]string{"--image", image, "--task-timeout", "0"}, []string{"--task-timeout 0"}},
		{[]string{"--image", image, "--task-timeout", "169h"}, []string{"--task-timeout 169h", "168"}},
		{[]string{"--image", image, "--task-timeout", "soon"}, []string{"--task-timeout", "soon"}},
		{[]string{"--image", image, "--cpu", "1.5"}, []string{"--cpu 1.5", "0.08 to 1"}},
		{[]string{"--image", image, "--cpu", "0.07"}, []string{"--cpu 0.07"}},
		{[]string{"--image", image, "--cpu", "0.0805"}, []string{"--cpu 0.0805"}},
		{[]string{"--image", image, "--cpu", "9223372036854775808"}, []string{"--cpu 9223372036854775808"}},
		{[]string{"--image", image, "--memory", "1Ti"}, []string{"--memory 1Ti", "32Gi"}},
		{[]string{"--image", image, "--memory", "-1"}, []string{"--memory -1"}},
		{[]string{"--image", image, "--memory", "8Gi"}, []string{"--memory 8Gi", "4Gi"}},
		{[]string{"--image", image, "--memory", "much"}, []string{"--memory much"}},
		{[]string{"--image", image, "--set-env-vars", "PORT=1"}, []string{"--set-env-vars", "PORT"}},
		{[]string{"--image", image, "--set-env-vars", "CLOUD_RUN_JOB=x"}, []string{"--set-env-vars", "CLOUD_RUN_JOB"}},
		{[]string{"--image", image, "--set-env-vars", "=x"}, []string{"--set-env-vars", "NAME=VALUE"}},
		{[]string{"--image", image, "--set-env-vars", "NOVALUE"}, []string{"--set-env-vars", "NAME=VALUE"}},
		{[]string{"--image", image, "--set-env-vars", "A=" + strings.Repeat("x", 32769)}, []string{"--set-env-vars", "32"}},
		{[]string{"--image", image, "--format", "xml"}, []string{"--format xml", "text or json"}},
		{[]string{"--image", image, "--taks", "1"}, []string{"--taks", "did you mean --tasks?"}},
		{[]string{"--image", image, "--tasks"}, []string{"--tasks", "missing"}},
		{[]string{"--image", image, "more", "than"}, []string{"than"}},
		{[]string{"--image", ""}, []string{"--image"}},
		{nil, []string{"--image"}},
		{[]string{"/nonexistent.yaml"}, []string{"/nonexistent.yaml", "no such file"}},
		{[]string{"/etc"}, []string{"/etc", "directory"}},
	} {
		r := h.Run(c.args...)
		if r.Code != 2 {
			t.Errorf("%q: exit %d, want 2\n%s", c.args, r.Code, r)
			continue
		}
		r.Explains(c.words...)
		if r.Stdout != "" {
			t.Errorf("%q: something on standard output\n%s", c.args, r)
		}
	}
	if roots := h.KnownRoots(); len(roots) != 0 {
		t.Errorf("roots were made for nothing: %q", roots)
	}
}

// jobFile is a job file with text below the container and at other places.
func jobFile(image, container, task, top string) string {
	return fmt.Sprintf(`apiVersion: run.googleapis.com/v1
kind: Job
metadata:
  name: bad
%sspec:
  template:
    spec:
      template:
        spec:
          containers:
          - image: %s
%s%s`, top, image, container, task)
}

func TestBadJobFile(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	image := h.Shell()
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"malformed":     {"apiVersion: run.googleapis.com/v1\nkind: Job\n  metadata: [", []string{"line"}},
		"empty":         {"", []string{"empty"}},
		"not a mapping": {"- a\n- b\n", nil},
		"other kind":    {strings.Replace(jobFile(image, "", "", ""), "kind: Job", "kind: Service", 1), []string{"kind", "Service", "Job"}},
		"other version": {strings.Replace(jobFile(image, "", "", ""), "googleapis.com/v1", "googleapis.com/v9", 1), []string{"apiVersion", "v9"}},
		"unknown field": {jobFile(image, "            comand: [x]\n", "", ""),
			[]string{"spec.template.spec.template.spec.containers[0].comand", "command"}},
		"unknown deep": {jobFile(image, "            resources:\n              limit: {cpu: 1}\n", "", ""),
			[]string{"containers[0].resources.limit", "limits"}},
		"wrong type": {jobFile(image, "            args: 7\n", "", ""), []string{"containers[0].args"}},
		"bad value":  {jobFile(image, "", "          maxRetries: 11\n", ""), []string{"maxRetries", "11", "0 to 10"}},
		"bad cpu": {jobFile(image, "            resources:\n              limits: {cpu: '1.5'}\n", "", ""),
			[]string{"containers[0].resources.limits", "1.5"}},
		"twice":    {jobFile(image, "            args: [a]\n            args: [b]\n", "", ""), []string{"args"}},
		"no image": {strings.Replace(jobFile("x", "            args: [a]\n", "", ""), "image: x", "name: x", 1), []string{"image"}},
		"bad name": {strings.Replace(jobFile(image, "", "", ""), "name: bad", "name: Bad_Name", 1), []string{"name", "Bad_Name"}},
		"a bomb": {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", nil},
		"too large": {strings.Repeat("# nothing\n", 1<<17), []string{"1 MiB"}},
	} {
		file := filepath.Join(t.TempDir(), "job.yaml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := h.Run(file)
		if r.Code != 2 || r.Stdout != "" {
			t.Errorf("%s: exit %d, want 2\n%s", name, r.Code, r)
			continue
		}
		for _, w := range append(c.words, file) {
			if !strings.Contains(r.Stderr, w) {
				t.Errorf("%s: no %q in\n%s", name, w, rig.Clip(r.Stderr))
			}
		}
	}
}

// What needs no host works without root; what does says so.
func TestWithoutRoot(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	program := forEverybody(h)
	asNobody := func(args ...string) rig.Result {
		return h.StartWith(func(cmd *exec.Cmd) {
			cmd.Path, cmd.Dir = program, "/"
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		}, args...).Wait()
	}
	asNobody("run", "--image", "busybox").Exits(1).Explains("root", "sudo")
	asNobody("run", "--image", "busybox", "--tasks", "0").Exits(2).Explains("--tasks 0")
	if r := asNobody("version").Exits(0); !strings.HasPrefix(r.Stdout, "runnel ") {
		t.Errorf("version\n%s", r)
	}
	asNobody("run", "--help").Exits(0)
	if r := asNobody("doctor"); r.Code != 1 || !strings.Contains(r.Stdout, "root") {
		t.Errorf("doctor\n%s", r)
	}
}

// forEverybody copies the programs to where any user may execute them.
func forEverybody(h *rig.Host) string {
	h.Helper()
	dir, err := os.MkdirTemp("/tmp", "runnel-everybody-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			h.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		h.Fatal(err)
	}
	for _, name := range []string{"runnel", "runnel-shim"} {
		program, err := os.ReadFile(filepath.Join(filepath.Dir(h.Runnel), name))
		if err != nil {
			h.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil {
			h.Fatal(err)
		}
	}
	return filepath.Join(dir, "runnel")
}

// A shim that is not where it should be is told by name.
func TestWithoutShim(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	program := forEverybody(h)
	if err := os.Remove(filepath.Join(filepath.Dir(program), "runnel-shim")); err != nil {
		t.Fatal(err)
	}
	alone := func(cmd *exec.Cmd) {
		cmd.Path = program
		cmd.Env = []string{"PATH=/nonexistent"}
	}
	h.StartWith(alone, "run", "--image", "x").Wait().Exits(1).Explains("runnel-shim")
}

func TestUnknownCommand(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	h.StartWith(func(*exec.Cmd) {}, "rum").Wait().Exits(2).Explains("rum", "did you mean run?")
	h.StartWith(func(*exec.Cmd) {}, strings.Repeat("x", math.MaxUint8)).Wait().Exits(2)
}
