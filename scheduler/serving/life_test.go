package serving

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/ingress"
	"runnel/probe"
)

// ready waits until n instances are ready.
func (w *town) ready(t *testing.T, l *loop, n int) {
	t.Helper()
	for range 1000 {
		if w.Status(l.plan.name).Ready == n {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Fatalf("%+v, want %d ready", w.Status(l.plan.name), n)
}

// meanwhile begins a request and tells how it ends.
func (w *town) meanwhile(t *testing.T, l *loop, takes time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, _, err := w.request(t.Context(), l, takes)
		ended <- err
	}()
	<-time.After(50 * time.Millisecond)
	return ended
}

// An instance that ends by itself ends its requests, and another one takes its
// place.
//
// contract: LIFE-10, LIFE-13, LIFE-14
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		exit contract.Exit
		want error
		said []string
	}{
		{contract.Exit{Signal: syscall.SIGKILL, OOMKilled: true}, ingress.ErrMemory, []string{
			"ERROR : Memory limit of 512 MiB exceeded with 513 MiB used.", "WARNING hello-1: Container terminated on signal 9.",
		}},
		{contract.Exit{Code: 1}, ingress.ErrEnded, []string{"WARNING hello-1: Container called exit(1)."}},
	} {
		inTown(t, 4, script{}, func(t *testing.T, w *town) {
			l := w.add(t, revision("hello-00001-abc", nil), auto(1, 1))
			w.route(l)
			w.ready(t, l, 1)
			<-time.After(time.Minute)
			ended := w.meanwhile(t, l, time.Minute)
			w.made[0].end(c.exit)
			if err := <-ended; !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			_, waited, err := w.request(t.Context(), l, 0)
			if err != nil || waited > time.Second/2 {
				t.Errorf("the next request waited %v: %v", waited, err)
			}
			for _, line := range c.said {
				if !strings.Contains(w.said(), line) {
					t.Errorf("not said: %s", line)
				}
			}
		})
	}
}

// When a sidecar ends the whole instance does: the other container is asked to.
//
// contract: LIFE-13
func TestSidecarEnds(t *testing.T) {
	inTown(t, 9, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].Ports = []*runpb.ContainerPort{{ContainerPort: 8080}}
			r.Containers = append(r.Containers, &runpb.Container{Name: "side"})
		}), auto(1, 1))
		w.ready(t, l, 1)
		ended := w.meanwhile(t, l, time.Hour)
		w.made[0].end(contract.Exit{Code: 1})
		if err := <-ended; !errors.Is(err, ingress.ErrEnded) {
			t.Errorf("the request ended: %v", err)
		}
		<-time.After(5 * time.Second)
		w.ready(t, l, 1)
		if w.made[0].termed.IsZero() || len(w.made) != 2 {
			t.Errorf("asked at %v; %d instances", w.made[0].termed, len(w.made))
		}
		if !strings.Contains(w.said(), "WARNING side: Container called exit(1).") {
			t.Errorf("said\n%s", w.said())
		}
	})
}

// Removing a revision lets requests end; then all is asked to end, and killed
// after ten seconds. No CPU is taken from it meanwhile.
//
// contract: LIFE-7, LIFE-8, LIFE-9, REQ-6
func TestRemoveDrains(t *testing.T) {
	inTown(t, 4, script{deaf: true}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(1, 1))
		w.ready(t, l, 1)
		<-time.After(time.Minute)
		begun := time.Now()
		ended := w.meanwhile(t, l, time.Minute)
		if err := w.Remove(t.Context(), l.plan.name); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("the request ended: %v", err)
		}
		b := w.made[0]
		if got := b.termed.Sub(begun); got != time.Minute {
			t.Errorf("SIGTERM after %v", got)
		}
		if got := b.killed.Sub(b.termed); got != contract.GracePeriod {
			t.Errorf("SIGKILL %v after SIGTERM", got)
		}
		if !strings.Contains(w.said(), contract.DisabledLine) {
			t.Errorf("said\n%s", w.said())
		}
		if _, _, err := w.request(t.Context(), l, 0); err == nil {
			t.Error("a request after the end")
		}
	})
}

// contract: HC-5, HC-7, HC-12, LIFE-14
func TestLiveness(t *testing.T) {
	s := script{listens: []time.Duration{time.Second}, answer: func(since time.Duration) error {
		if since > 100*time.Second {
			return errors.New("status 500")
		}
		return nil
	}}
	inTown(t, 4, s, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].LivenessProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: "/live"}}}
		}), auto(1, 1))
		w.ready(t, l, 1)
		begun := time.Now()
		if err := <-w.meanwhile(t, l, time.Hour); !errors.Is(err, ingress.ErrUnhealthy) {
			t.Errorf("the request ended: %v", err)
		}
		if took := time.Since(begun); took < 119*time.Second || took > 125*time.Second {
			t.Errorf("after %v", took)
		}
		<-time.After(2 * time.Second)
		w.ready(t, l, 1)
		if b := w.made[0]; !b.termed.IsZero() || b.killed.IsZero() || len(w.made) != 2 {
			t.Errorf("asked at %v, killed at %v; %d instances", b.termed, b.killed, len(w.made))
		}
		want := "ERROR hello-1: LIVENESS HTTP probe failed 3 times consecutively for container \"hello-1\" on port 8080 path \"/live\". The instance has been shut down."
		if !strings.Contains(w.said(), want) {
			t.Errorf("said\n%s", w.said())
		}
	})
}

// contract: HC-8
func TestReadiness(t *testing.T) {
	s := script{answer: func(since time.Duration) error {
		if since > 60*time.Second && since < 120*time.Second {
			return errors.New("status 500")
		}
		return nil
	}}
	inTown(t, 4, s, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].ReadinessProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}}
		}), auto(1, 1))
		w.ready(t, l, 1)
		begun := time.Now()
		for _, want := range []struct {
			at    time.Duration
			ready bool
		}{{75 * time.Second, true}, {95 * time.Second, false}, {135 * time.Second, true}} {
			<-time.After(time.Until(begun.Add(want.at)))
			if got := l.pool.Stats().Backends[0].Ready; got != want.ready {
				t.Errorf("at %v: in turn %v", want.at, got)
			}
		}
		if len(w.made) != 1 {
			t.Errorf("%d instances", len(w.made))
		}
	})
}

// An instance takes requests only while none of its containers says no.
//
// contract: HC-8
func TestReadinessOfSeveralContainers(t *testing.T) {
	inTown(t, 4, script{}, func(t *testing.T, w *town) {
		var side, main atomic.Bool
		asks := w.Fleet.probe
		w.Fleet.probe = func(ctx context.Context, c probe.Check, addr netip.Addr) error {
			if c.Kind == probe.HTTP && (c.Path == "/side" && side.Load() || c.Path == "/main" && main.Load()) {
				return errors.New("status 500")
			}
			return asks(ctx, c, addr)
		}
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			twoContainers(r)
			r.Volumes, r.GetContainers()[1].VolumeMounts = nil, nil
			for n, path := range []string{"/side", "/main"} {
				r.GetContainers()[n].ReadinessProbe = &runpb.Probe{
					PeriodSeconds: 1, FailureThreshold: 1,
					ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: path, Port: int32(8080 + n)}},
				}
			}
			r.GetContainers()[1].Ports[0].ContainerPort = 8081
		}), auto(1, 1))
		w.ready(t, l, 1)
		for _, c := range []struct{ side, main, ready bool }{
			{false, false, true}, {true, false, false}, {true, true, false}, {true, false, false}, {false, false, true},
		} {
			side.Store(c.side)
			main.Store(c.main)
			<-time.After(5 * time.Second)
			if got := l.pool.Stats().Backends[0].Ready; got != c.ready {
				t.Errorf("with a failing sidecar %v and a failing server %v: in turn %v", c.side, c.main, got)
			}
		}
	})
}

// levels are the CPU that an instance was given, one after the other.
func (b *body) cpus() (cpus []int) {
	b.world.look(func() {
		for _, cpu := range b.levels {
			cpus = append(cpus, int(cpu[0]))
		}
	})
	return cpus
}

// CPU comes with requests and goes without, for all containers, unless it is
// always there; a start may have more.
//
// contract: LIFE-2, LIFE-8, CPU-5, CPU-6, CPU-7, CPU-8
func TestCPU(t *testing.T) {
	for name, c := range map[string]struct {
		idle, boost bool
		want        []int
	}{
		"request-based":             {true, false, []int{0, 1000, 0, 1000}},
		"request-based, with boost": {true, true, []int{2000, 0, 1000, 0, 1000}},
		"instance-based":            {false, false, nil},
		"instance-based with boost": {false, true, []int{2000, 1000}},
	} {
		inTown(t, 9, script{listens: []time.Duration{time.Second}}, func(t *testing.T, w *town) {
			l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
				resources := r.GetContainers()[0].GetResources()
				resources.CpuIdle, resources.StartupCpuBoost = c.idle, c.boost
				r.GetContainers()[0].Ports = []*runpb.ContainerPort{{ContainerPort: 8080}}
				r.Containers = append(r.Containers, &runpb.Container{Name: "side"})
			}), auto(1, 1))
			w.ready(t, l, 1)
			<-time.After(8 * time.Second)
			if got := w.made[0].cpus(); c.boost && !slices.Equal(got, []int{2000}) {
				t.Errorf("%s: after 8 s the CPU was %v", name, got)
			}
			<-time.After(5 * time.Second)
			for range 3 { // without a pause
				if _, _, err := w.request(t.Context(), l, time.Second); err != nil {
					t.Error(err)
				}
			}
			<-time.After(time.Second)
			b := w.made[0]
			w.look(func() {
				if c.idle && (b.cpu[0] != 0 || b.cpu[1] != 0) {
					t.Errorf("%s: idle with %v", name, b.cpu)
				}
			})
			if err := w.Remove(t.Context(), l.plan.name); err != nil {
				t.Error(err)
			}
			if got := b.cpus(); !slices.Equal(got, c.want) {
				t.Errorf("%s: the CPU was %v, want %v", name, got, c.want)
			}
		})
	}
}

// The CPU of one that starts is never less than its limit, and there is a probe
// while it has none.
//
// contract: HC-12
func TestProbesHaveCPU(t *testing.T) {
	inTown(t, 4, script{}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			r.GetContainers()[0].LivenessProbe = &runpb.Probe{PeriodSeconds: 10, ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}}
		}), auto(1, 1))
		w.ready(t, l, 1)
		<-time.After(25 * time.Second)
		if got := w.made[0].cpus(); !slices.Equal(got, []int{0, 1000, 0, 1000, 0}) {
			t.Errorf("the CPU was %v", got)
		}
	})
}
