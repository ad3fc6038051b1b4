package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/contract"
	"runnel/internal/testenv"
	rruntime "runnel/runtime"
)

// several is an instance with a container for each script.
func (b *bench) several(scripts ...string) rruntime.Spec {
	s := b.spec(scripts[0])
	s.Containers[0].Name = "c0"
	for n, script := range scripts[1:] {
		c := s.Containers[0]
		c.Name, c.Command = fmt.Sprint("c", n+1), []string{"/bin/sh", "-c", script}
		s.Containers = append(s.Containers, c)
	}
	return s
}

// create makes an instance, which is deleted when the test ends if not before.
func (b *bench) create(s rruntime.Spec) *rruntime.Instance {
	b.t.Helper()
	i, err := b.Create(b.t.Context(), s)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := i.Delete(context.Background()); err != nil {
			b.t.Error(err)
		}
	})
	return i
}

// start makes an instance and lets it run.
func (b *bench) start(s rruntime.Spec) *rruntime.Instance {
	b.t.Helper()
	i := b.create(s)
	b.must(i.Start(b.t.Context()))
	return i
}

func (b *bench) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

// log is what a container has printed.
func (b *bench) log(s *rruntime.Spec, n int) string {
	out, _ := os.ReadFile(b.LogPath(rruntime.ContainerID(s.ID, n)))
	return string(out)
}

// logs waits until a container has printed want.
func (b *bench) logs(s *rruntime.Spec, n int, want string) {
	b.t.Helper()
	testenv.Eventually(b.t, time.Minute, func() bool { return strings.Contains(b.log(s, n), want) },
		"container", n, "prints", want, "and not", b.log(s, n))
}

// contract: NET-19 VOL-3
func TestContainersShareNetworkAndVolumesAlone(t *testing.T) {
	b := newBench(t)
	s := b.several(`
		echo from the first > /shared/note
		touch /tmp/own; sleep 4711 &
		echo ready; nc -l -p 8080 < /shared/note`, `
		while ! nc -w 30 127.0.0.1 8080 > /tmp/got; do sleep 0.05; done
		echo "over the network: $(cat /tmp/got)"
		echo "in the volume: $(cat /data/sub/note)"
		echo "pid $$ sees $(ps | grep -c '[s]leep 4711') processes of the first"
		ls /tmp/own /shared 2>/dev/null || echo "alone in its root"
		wget -q -O - --header "Metadata-Flavor: Google" http://169.254.169.254/computeMetadata/v1/instance/id && echo
		echo over; sleep 1000`)
	s.Volumes = []rruntime.Volume{{Name: "other", Size: contract.MiB}, {Name: "v", Size: contract.MiB}}
	s.Containers[0].Mounts = []rruntime.Mount{{Volume: "v", Path: "/shared", SubPath: "sub"}}
	s.Containers[1].Mounts = []rruntime.Mount{{Volume: "v", Path: "/data"}}
	i := b.start(s)
	b.logs(&s, 1, "over\n")
	for _, want := range []string{
		"over the network: from the first\n", "in the volume: from the first\n", "F pid 1 sees 0 processes of the first\n",
		"alone in its root\n", "F id-of-" + s.ID + "\n",
	} {
		if !strings.Contains(b.log(&s, 1), want) {
			t.Errorf("missing %q in:\n%s", want, b.log(&s, 1))
		}
	}
	if e := b.wait(i); e.Container != 0 || !e.Succeeded() {
		t.Errorf("exit %+v", e)
	}
	b.must(i.Stop(t.Context(), 0))
}

// contract: CPU-1 MEM-1 MEM-2
func TestEachContainerHasItsLimitsAndAllTheirSum(t *testing.T) {
	b := newBench(t)
	s := b.several("echo up; sleep 1000", "echo up; sleep 1000", "echo up; sleep 1000")
	s.Containers[1].Limits.CPU, s.Containers[1].Limits.Memory = 2000, 64*contract.MiB
	i := b.start(s)
	for n, want := range []struct {
		cpu    contract.MilliCPU
		memory contract.Bytes
	}{{1000, 128 * contract.MiB}, {2000, 64 * contract.MiB}, {1000, 128 * contract.MiB}} {
		b.logs(&s, n, "up") // it is in its group
		if cpu, memory := b.limits(s.ID + "/" + rruntime.ContainerID(s.ID, n)); cpu != want.cpu || memory != want.memory {
			t.Errorf("container %d: %d CPU, %d memory, want %+v", n, cpu, memory, want)
		}
	}
	if cpu, memory := b.limits(s.ID); cpu != 0 || memory != 320*contract.MiB {
		t.Errorf("all together: %d CPU, %d memory", cpu, memory)
	}
	if u, err := i.Usage(); err != nil || u.PIDs < 3 || u.CPU <= 0 || u.Memory <= 0 {
		t.Errorf("usage %+v, %v", u, err)
	}
}

// contract: LIFE-10 MEM-1 MEM-3 VOL-3
func TestVolumeIsMemoryOfWhoWritesIt(t *testing.T) {
	b := newBench(t)
	s := b.several("dd if=/dev/zero of=/dev/shm/x bs=1M count=60; touch /v/held; sleep 1000",
		"while ! test -e /v/held; do sleep 0.05; done; dd if=/dev/zero of=/v/x bs=1M count=200; sleep 100; echo survived")
	s.Volumes = []rruntime.Volume{{Name: "v", Size: 200 * contract.MiB}}
	for n := range s.Containers {
		s.Containers[n].Mounts = []rruntime.Mount{{Volume: "v", Path: "/v"}}
	}
	i := b.start(s)
	e := b.wait(i)
	if e.Container != 1 || !e.OOMKilled || e.Signal != syscall.SIGKILL || e.MemoryPeak < 170*contract.MiB {
		t.Errorf("exit %+v", e)
	}
	b.must(i.Stop(t.Context(), 0))
	if strings.Contains(b.log(&s, 1), "survived") {
		t.Errorf("log:\n%s", b.log(&s, 1))
	}
}

// The sum is a limit of its own: what containers had that ended counts too.
//
// contract: LIFE-10 MEM-2
func TestInstanceOverTheSumEnds(t *testing.T) {
	b := newBench(t)
	grow := "echo up; while ! test -e /v/go; do sleep 0.05; done; dd if=/dev/zero of=/dev/shm/x bs=1M count=60; touch /v/$HOSTNAME; echo grown; sleep 1000"
	s := b.several(grow, grow)
	s.Volumes = []rruntime.Volume{{Name: "v", Size: contract.MiB}}
	for n := range s.Containers {
		s.Containers[n].Mounts = []rruntime.Mount{{Volume: "v", Path: "/v"}}
	}
	s.Containers = append(s.Containers, s.Containers[0])
	s.Containers[2].Name, s.Containers[2].Command = "c2", []string{"/bin/sh", "-c", "while ! test -e /v/now; do sleep 0.05; done; touch /v/go; sleep 1000"}
	i := b.start(s)
	b.logs(&s, 0, "up")
	b.logs(&s, 1, "up")
	b.setMemory(s.ID, 90*contract.MiB) // below the sum, so that two in bounds are above it
	b.must(os.WriteFile(b.rootOf(s.ID+"/"+s.ID, "/v/now"), nil, 0o644))
	if e := b.wait(i); !e.OOMKilled || e.Signal != syscall.SIGKILL {
		t.Errorf("exit %+v", e)
	}
	b.must(i.Stop(t.Context(), 0))
}

// contract: LIFE-7
func TestStopAsksAllThatRun(t *testing.T) {
	b := newBench(t)
	term := "trap 'echo asked; exit %d' TERM; echo ready; while :; do sleep 0.05; done"
	deaf := "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done"
	s := b.several(fmt.Sprintf(term, 3), fmt.Sprintf(term, 4), "echo it starts")
	i := b.create(s)
	for n := range 2 {
		b.must(i.StartContainer(t.Context(), n))
		b.logs(&s, n, "ready")
	}
	if !i.Started() {
		t.Error("not started")
	}
	b.must(i.Stop(t.Context(), time.Minute)) // does not take it: the third is not asked
	for n := range 2 {
		b.logs(&s, n, "asked")
	}
	if e := b.wait(i); e.Signal != 0 || e.Code != e.Container+3 {
		t.Errorf("exit %+v", e)
	}
	if got := b.log(&s, 2); got != "" {
		t.Errorf("the third has run:\n%s", got)
	}
	// One that does not listen is killed, and with it all that is left.
	s = b.several(deaf, fmt.Sprintf(term, 5))
	i = b.start(s)
	b.logs(&s, 0, "ready")
	b.logs(&s, 1, "ready")
	b.must(i.Stop(t.Context(), 3*time.Second)) // in which the other one ends, also in an emulated machine
	b.logs(&s, 0, "asked")
	if e := b.wait(i); e.Container != 1 || e.Code != 5 {
		t.Errorf("exit %+v", e)
	}
	if procs := b.procs(s.ID); len(procs) > 0 {
		t.Errorf("processes %v are left", procs)
	}
}

// What waits for its start and ends is the end of the instance too.
func TestDeathBeforeTheStartIsSeen(t *testing.T) {
	b := newBench(t)
	s := b.several("sleep 1000", "sleep 1000")
	i := b.create(s)
	b.must(i.StartContainer(t.Context(), 0))
	for _, pid := range b.procs(s.ID + "/" + s.ID + "-1") {
		b.must(syscall.Kill(pid, syscall.SIGKILL))
	}
	if e := b.wait(i); e.Container != 1 || e.Signal != syscall.SIGKILL || e.OOMKilled {
		t.Errorf("exit %+v", e)
	}
	if err := i.StartContainer(t.Context(), 2); !errors.Is(err, rruntime.ErrNotFound) {
		t.Errorf("start of what is not there: %v", err)
	}
}

func TestFailedCreateOfSeveralLeavesNothing(t *testing.T) {
	b := newBench(t)
	s := b.several("sleep 1000", "true", "sleep 1000")
	s.Volumes = []rruntime.Volume{{Name: "v", Size: contract.MiB}}
	s.Containers[0].Mounts = []rruntime.Mount{{Volume: "v", Path: "/v"}}
	s.Containers[1].Command = []string{"/nope"}
	_, err := b.Create(t.Context(), s)
	if !errors.Is(err, rruntime.ErrUnstartable) || !strings.HasPrefix(err.Error(), "container c1: ") {
		t.Errorf("%v", err)
	}
	if !b.Idle() {
		t.Error("an instance is left")
	}
	s.Containers[1].Command = []string{"/bin/true"}
	i := b.create(s)                         // nothing is in the way
	taken := b.spec("true")                  //
	taken.ID = rruntime.ContainerID(s.ID, 2) // another instance, were it not a container
	if _, err := b.Create(t.Context(), taken); !errors.Is(err, rruntime.ErrExists) {
		t.Errorf("an instance called as a container: %v", err)
	}
	b.must(i.Delete(t.Context()))
	b.must(b.create(taken).Delete(t.Context()))
	for _, change := range []func(){
		func() { s.Containers[0].Mounts[0].Volume = "none" },
		func() { s.Containers = make([]rruntime.Container, 11) },
		func() { s.Containers = nil },
	} {
		change()
		if _, err := b.Create(t.Context(), s); err == nil || errors.Is(err, rruntime.ErrUnstartable) {
			t.Errorf("%v", err)
		}
	}
}
