package contract

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/internal/inside/look"
)

// contract: RT-1
func TestRT1ContainersSeeTheirOwnCgroupAlone(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		for _, line := range r.Cgroup.Lines {
			if !strings.HasSuffix(line, ":/") {
				t.Errorf("a %s is in %s", what, line)
			}
		}
		if len(r.Cgroup.Groups) != 0 || r.Cgroup.Files < 10 {
			t.Errorf("a %s sees the groups %q and %d files", what, r.Cgroup.Groups, r.Cgroup.Files)
		}
		// With version 1 the place where the hierarchies are mounted is a directory
		// of the container's own, and no group.
		writable := slices.DeleteFunc(slices.Clone(r.Cgroup.Writable), func(p string) bool {
			return p == "/sys/fs/cgroup" && mountAt(r, p).Type == "tmpfs"
		})
		if len(writable) != 0 {
			t.Errorf("a %s may write to %q", what, writable)
		}
		for file, text := range r.Cgroup.Settings {
			if path.Base(file) == "cgroup.procs" && text != "1" {
				t.Errorf("a %s sees the processes %q in %s", what, text, file)
			}
		}
	}
	if quota, memory := insideLimits(taskSees(t, d).Cgroup.Settings); quota != "100000" || memory != "536870912" {
		t.Errorf("a task sees %s microseconds of 100 ms and %s bytes, want the default limits", quota, memory)
	}
}

// contract: RT-2
func TestRT2ArgumentsArriveAsTheyAre(t *testing.T) {
	d := daemon(t)
	args := []string{"report", "only=start", "", " a  b ", `it's "quoted"`, "two\nlines\t", "$HOME `id` $(id) ${X}", `\n\\`, "-x=--y", "ä€😀", "*", ";|&", ""}
	k := limited("0.2", "128Mi")
	k.Image, k.Command, k.Args = d.Host.Inside(), []string{"/inside"}, args
	var r look.Report
	if taskOf(t, d, nameOf(t), k, &r); !slices.Equal(r.Start.Args, append([]string{"/inside"}, args...)) {
		t.Errorf("the program has\n%q, want\n%q", r.Start.Args, args)
	}
}

// contract: RT-3
func TestRT3FieldsThatCloudRunHasNotAreRefusedByName(t *testing.T) {
	d := daemon(t)
	for field, value := range map[string]string{
		"lifecycle": "{preStop: {exec: {command: [x]}}}", "stdin": "true", "stdinOnce": "true", "tty": "true", "securityContext": "{privileged: true}",
		"envFrom": "[{configMapRef: {name: x}}]", "volumeDevices": "[{name: x, devicePath: /dev/x}]", "resizePolicy": "[]", "restartPolicy": "Always",
	} {
		container := fmt.Sprintf("{image: x, %s: %s}", field, value)
		refusedFile(t, d, "services", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: rt3}\nspec: {template: {spec: {containers: ["+container+"]}}}\n", "containers[0]."+field)
		refusedFile(t, d, "jobs", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: rt3}\nspec: {template: {spec: {template: {spec: {containers: ["+container+"]}}}}}\n", "containers[0]."+field)
	}
	for field, value := range map[string]string{"hostNetwork": "true", "hostPID": "true", "initContainers": "[]", "nodeName": "x"} {
		refusedFile(t, d, "services", fmt.Sprintf("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: rt3}\nspec: {template: {spec: {%s: %s, containers: [{image: x}]}}}\n", field, value), "spec."+field)
	}
}

// contract: RT-4
func TestRT4EnvironmentHoldsNothingOfTheHosts(t *testing.T) {
	d := daemon(t)
	for what, want := range map[string][]string{
		"task":    {"CLOUD_RUN_EXECUTION", "CLOUD_RUN_JOB", "CLOUD_RUN_TASK_ATTEMPT", "CLOUD_RUN_TASK_COUNT", "CLOUD_RUN_TASK_INDEX", "HOME", "PATH"},
		"service": {"CLOUD_RUN_TIMEOUT_SECONDS", "HOME", "K_CONFIGURATION", "K_REVISION", "K_SERVICE", "PATH", "PORT"},
	} {
		if got := namesOf(bothSee(t, d)[what].Start.Env); !slices.Equal(got, want) {
			t.Errorf("a %s has %q, want %q", what, got, want)
		}
	}
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), d.Host.InsideLayer()},
		Config: imagetest.Config{Entrypoint: []string{"/inside"}, Env: []string{"OF=image", "BOTH=image", "EMPTY="}},
	})
	var r look.Report
	smallTask(t, d, nameOf(t), &r, "--image", image, "--args", "report,only=start", "--set-env-vars", "BOTH=user,OWN=a=b")
	for _, want := range []string{"OF=image", "BOTH=user", "OWN=a=b", "EMPTY=", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"} {
		if !slices.Contains(r.Start.Env, want) {
			t.Errorf("lacks %s: %q", want, r.Start.Env)
		}
	}
	if got := namesOf(r.Start.Env); len(got) != 11 {
		t.Errorf("the names are %q", got)
	}
}

// namesOf are the names in an environment, in order.
func namesOf(env []string) []string {
	var names []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// contract: RT-5
func TestRT5OnlyStandardStreamsAreOpen(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		var numbers []int
		for _, f := range r.Descriptors {
			numbers = append(numbers, f.Number)
		}
		slices.Sort(numbers)
		if !slices.Equal(numbers, []int{0, 1, 2}) || r.Start.Stdin != "0 bytes" {
			t.Errorf("a %s begins with %+v, and reads %s from standard input", what, r.Descriptors, r.Start.Stdin)
		}
	}
}

// contract: RT-6
func TestRT6DevicesAreThoseOfEveryContainer(t *testing.T) {
	d := daemon(t)
	want := map[string]string{
		"/dev/null": "c 1:3", "/dev/zero": "c 1:5", "/dev/full": "c 1:7", "/dev/random": "c 1:8", "/dev/urandom": "c 1:9", "/dev/tty": "c 5:0",
		"/dev/ptmx": "-> pts/ptmx", "/dev/pts": "drwxr-xr-x", "/dev/pts/ptmx": "c 5:2", "/dev/shm": "dtrwxrwxrwx", "/dev/mqueue": "dtrwxrwxrwx",
		"/dev/fd": "-> /proc/self/fd", "/dev/stdin": "-> /proc/self/fd/0", "/dev/stdout": "-> /proc/self/fd/1", "/dev/stderr": "-> /proc/self/fd/2",
		"/dev/log": "Srw-rw-rw-",
	}
	for what, r := range bothSee(t, d) {
		got := maps.Clone(r.Devices)
		delete(got, "/dev/core") // a link to a file of /proc that is masked, where the kernel has one
		if !maps.Equal(got, want) {
			t.Errorf("a %s has %q, want %q", what, got, want)
		}
		for at, kind := range map[string]string{"/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue"} {
			if m := mountAt(r, at); m.Type != kind {
				t.Errorf("a %s has %+v at %s, want a %s", what, m, at, kind)
			}
		}
	}
}

// contract: RT-7
func TestRT7WhatTellsOfTheHostIsMaskedOrReadOnly(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		for at, door := range r.Doors {
			below := func(dirs ...string) bool {
				return slices.ContainsFunc(dirs, func(dir string) bool { return at == dir || strings.HasPrefix(at, dir+"/") })
			}
			if below("/proc", "/sys") && door.Write == look.Writable && at != "/sys/fs/cgroup" {
				t.Errorf("a %s can write to %s", what, at)
			}
			shows := door.Read != look.Masked && door.Read != "0 names" && door.Read != "0 bytes" && !strings.HasPrefix(door.Read, "E")
			if shows && below("/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug",
				"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap") {
				t.Errorf("a %s reads %s from %s", what, door.Read, at)
			}
		}
		for _, at := range []string{"/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/sys"} {
			if m := mountAt(r, at); !m.Has("ro") {
				t.Errorf("a %s has %+v at %s, want it read-only", what, m, at)
			}
		}
		// It is there where the kernel has it.
		if m := mountAt(r, "/proc/sysrq-trigger"); r.Doors["/proc/sysrq-trigger"].Read != "ENOENT" && !m.Has("ro") {
			t.Errorf("a %s has %+v at /proc/sysrq-trigger, want it read-only", what, m)
		}
	}
}
