package serving

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/probe"
	rruntime "runnel/runtime"
)

const testWorkerPool = "projects/local/locations/us-central1/workerPools/mill"

// workers is a revision of the test worker pool; change may be nil.
func workers(name string, change func(*runpb.Revision)) *runpb.Revision {
	return revision(name, func(r *runpb.Revision) {
		r.Name, r.Service, r.MaxInstanceRequestConcurrency = testWorkerPool+"/revisions/"+name, "", 0
		r.Containers[0].Name = "mill-1"
		if change != nil {
			change(r)
		}
	})
}

// manual is a scale by hand.
func manual(n int) Scale { return Scale{Manual: n} }

// tcpProbe is a start-up probe that asks a port for so long.
func tcpProbe(port, seconds int32) *runpb.Probe {
	return &runpb.Probe{PeriodSeconds: seconds, FailureThreshold: 1, ProbeType: &runpb.Probe_TcpSocket{
		TcpSocket: &runpb.TCPSocketAction{Port: port},
	}}
}

// andMore has a second container, which the first one depends on.
func andMore(r *runpb.Revision) {
	r.Containers[0].DependsOn = []string{"more"}
	r.Containers = append(r.Containers, &runpb.Container{Name: "more"})
}

// contract: WP-1, WP-3, ENV-4
func TestPlanOfAWorkerPool(t *testing.T) {
	t.Parallel()
	r := workers("mill-00001-abc", func(r *runpb.Revision) {
		r.Containers[0].Resources.CpuIdle = true // it is no choice here
		r.Containers[0].LivenessProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}}
		r.Containers = append(r.Containers, &runpb.Container{Name: "more", StartupProbe: tcpProbe(0, 240)})
	})
	p, err := newPlan(&Config{ProjectNumber: func(string) string { return "1" }}, r, make([]*rimage.Image, 2))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"CLOUD_RUN_WORKER_POOL=mill", "CLOUD_RUN_WORKER_POOL_REVISION=mill-00001-abc", "CLOUD_RUN_REVISION=mill-00001-abc",
	}
	for _, c := range p.spec.Containers {
		if !slices.Equal(c.Env, want) {
			t.Errorf("%s: %q", c.Name, c.Env)
		}
	}
	if p.serves() || p.throttled || p.owner != "mill" || p.ownerName() != testWorkerPool || p.spec.Identity.Region != "us-central1" {
		t.Errorf("%+v", p)
	}
	first, second := p.containers[0], p.containers[1]
	if first.startup != nil || first.steady != steadyTime || first.liveness.check.Port != contract.DefaultPort {
		t.Errorf("%+v", first)
	}
	if s := second.startup; second.steady != 0 || s.check.Kind != probe.TCP || s.check.Port != contract.DefaultPort || s.log.Default {
		t.Errorf("%+v: %+v", second, s)
	}
}

// There are as many instances as somebody says, whose memory is reserved, and
// nothing is prepared for more.
//
// contract: WP-2, LIFE-14
func TestAWorkerPoolHasAsManyInstancesAsAreWanted(t *testing.T) {
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", nil), manual(3))
		if err := w.Warm(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{3, 5, 1, 0, 2} {
			w.SetScale(l.plan.name, manual(n))
			<-time.After(time.Hour)
			if all, started := w.count(); all != n || started != n {
				t.Errorf("%d instances, %d started; want %d", all, started, n)
			}
			if s := w.Status(l.plan.name); s != (Status{Desired: n, Ready: n}) {
				t.Errorf("%+v, want %d", s, n)
			}
			if used := w.config.Budget.Used(); used.Memory != contract.Bytes(n)*512*contract.MiB {
				t.Errorf("%v for %d", used, n)
			}
		}
		if len(w.made) != 7 {
			t.Errorf("%d were made", len(w.made))
		}
		for _, line := range []string{contract.StartMinimum.Line(), contract.DisabledLine} {
			if !strings.Contains(w.said(), line) {
				t.Errorf("said\n%s", w.said())
			}
		}
	})
}

// contract: WP-2
func TestAWorkerPoolWithoutInstancesIsNotChecked(t *testing.T) {
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", nil), manual(0))
		if err := errors.Join(w.Check(t.Context(), l.plan.name), w.Warm(t.Context(), l.plan.name)); err != nil {
			t.Error(err)
		}
		<-time.After(time.Hour)
		if len(w.made) != 0 {
			t.Errorf("%d were made", len(w.made))
		}
	})
}

// Nothing takes CPU from a worker, whatever it says of itself.
//
// contract: WP-3, LIFE-2
func TestWorkersAlwaysHaveCPU(t *testing.T) {
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", func(r *runpb.Revision) {
			r.Containers[0].Resources.StartupCpuBoost = true
		}), manual(1))
		w.ready(t, l, 1)
		<-time.After(time.Hour)
		w.look(func() {
			if levels := w.made[0].levels; len(levels) != 2 || levels[0][0] != 2000 || levels[1][0] != 1000 {
				t.Errorf("had %v", levels)
			}
		})
	})
}

// contract: WP-4, REV-5
func TestAWorkerThatEndsAtOnceIsNotHealthy(t *testing.T) {
	for _, code := range []int{0, 1} {
		exit := contract.Exit{Code: code}
		inTown(t, 9, script{ends: steadyTime / 2, exit: exit}, func(t *testing.T, w *town) {
			l := w.add(t, workers("mill-00001-abc", nil), manual(2))
			err := w.Check(t.Context(), l.plan.name)
			var start *StartError
			if !errors.As(err, &start) || strings.Contains(start.Message, "PORT") ||
				start.Message != contract.EndedMessage+" "+exit.ExitLine() {
				t.Errorf("check: %v", err)
			}
			if s := w.Status(l.plan.name); s.Failure == nil || *s.Failure != *start || s.Ready != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A container that depends on another one is not started before that is well.
//
// contract: WP-4, DEP-1, HC-10
func TestWorkersAreNotStartedWithoutWhatTheyDependOn(t *testing.T) {
	inTown(t, 9, script{listens: []time.Duration{0, -1}}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", func(r *runpb.Revision) {
			andMore(r)
			r.Containers[1].StartupProbe = tcpProbe(8081, 5)
		}), manual(1))
		var start *StartError
		err := w.Check(t.Context(), l.plan.name)
		if !errors.As(err, &start) || !strings.HasPrefix(start.Message, contract.ProbeMessage) || strings.Contains(start.Message, "PORT=") {
			t.Errorf("check: %v", err)
		}
		w.look(func() {
			if b := w.made[0]; !b.began[0].IsZero() || b.began[1].IsZero() {
				t.Errorf("began at %v", b.began)
			}
		})
		if want := "ERROR more: STARTUP TCP probe failed 1 time consecutively for container \"more\" on port 8081. The instance was not started."; !strings.Contains(w.said(), want) {
			t.Errorf("said\n%s", w.said())
		}
	})
}

// Without probes containers start in their order, and at once.
//
// contract: WP-4, DEP-2
func TestWorkersStartInOrder(t *testing.T) {
	inTown(t, 9, script{startTakes: time.Millisecond, listens: []time.Duration{-1, -1}}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", andMore), manual(1))
		begun := time.Now()
		if err := w.Check(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != steadyTime+2*time.Millisecond {
			t.Errorf("ready after %v", took)
		}
		w.look(func() {
			if b := w.made[0]; b.began[0].Sub(b.began[1]) != time.Millisecond {
				t.Errorf("began at %v", b.began)
			}
		})
	})
}

// contract: WP-4, HC-4
func TestAWorkerThatIsNotAliveIsReplaced(t *testing.T) {
	sick := script{answer: func(since time.Duration) error {
		if since > time.Minute {
			return errors.New("status 500")
		}
		return nil
	}}
	inTown(t, 9, sick, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", func(r *runpb.Revision) {
			r.Containers[0].LivenessProbe = &runpb.Probe{PeriodSeconds: 10, FailureThreshold: 2, ProbeType: &runpb.Probe_HttpGet{
				HttpGet: &runpb.HTTPGetAction{Port: 8080},
			}}
		}), manual(1))
		w.ready(t, l, 1)
		<-time.After(90 * time.Second)
		w.ready(t, l, 1)
		if b := w.made[0]; len(w.made) != 2 || !b.termed.IsZero() || b.killed.Sub(b.began[0]) > 90*time.Second {
			t.Errorf("%d were made; killed at %v", len(w.made), b.killed)
		}
	})
}

// contract: WP-5, LIFE-7, LIFE-8
func TestWorkersGetTenSecondsToEnd(t *testing.T) {
	inTown(t, 9, script{deaf: true}, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", nil), manual(1))
		w.ready(t, l, 1)
		w.SetScale(l.plan.name, manual(0))
		begun := time.Now()
		<-time.After(time.Minute)
		if b := w.made[0]; b.termed != begun || b.killed.Sub(b.termed) != contract.GracePeriod {
			t.Errorf("SIGTERM after %v, SIGKILL %v later", b.termed.Sub(begun), b.killed.Sub(b.termed))
		}
	})
}

// The instances of another process go on and are counted.
//
// contract: WP-2
func TestNextProcessGoesOnWithWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := settle(newWorld(t, always(script{})), 9, nil)
		l := first.add(t, workers("mill-00001-abc", nil), manual(3))
		first.ready(t, l, 3)
		late := first.add(t, workers("mill-00002-abcd", nil), manual(1))
		<-time.After(steadyTime / 2)
		first.die()
		first.made[0].end(contract.Exit{})

		next := first.follow(9)
		for _, old := range []*loop{l, late} {
			r := workers(old.plan.revision, nil)
			next.add(t, r, manual(map[*loop]int{l: 3, late: 1}[old]))
		}
		next.endSurvivors()
		<-time.After(time.Minute)
		for _, old := range []*loop{l, late} {
			s := next.Status(old.plan.name)
			if want := map[*loop]int{l: 3, late: 1}[old]; s.Ready != want || s.Starting != 0 {
				t.Errorf("%s: %+v, want %d", old.plan.revision, s, want)
			}
		}
		if len(next.made) != 5 {
			t.Errorf("%d were made, want one more than 4", len(next.made))
		}
		next.clear(t)
	})
}

// An instance that is lost while it starts, as with the shim, is no fault of the
// program: another is tried, for whoever deploys too.
func TestAnInstanceThatIsLostIsTriedAgain(t *testing.T) {
	lost := script{ends: steadyTime / 2, exit: contract.Exit{Lost: true}}
	inTown(t, 9, lost, func(t *testing.T, w *town) {
		l := w.add(t, workers("mill-00001-abc", nil), manual(1))
		w.look(func() { w.play = func(rruntime.Spec) script { return script{} } })
		if err := w.Check(t.Context(), l.plan.name); err != nil {
			t.Errorf("the deployment has failed: %v", err)
		}
		w.ready(t, l, 1)
	})
}
