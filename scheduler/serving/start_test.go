package serving

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/ingress"
	rruntime "runnel/runtime"
)

// One request from zero takes the prepared instance, which only has to start and
// listen; afterwards it stays for the idle time.
//
// contract: SC-1, SC-6, LIFE-3, LIFE-5, LIFE-14, HC-1, HC-10
func TestFromZeroAndBack(t *testing.T) {
	s := script{createTakes: 300 * time.Millisecond, startTakes: 2 * time.Millisecond, listens: []time.Duration{40 * time.Millisecond}}
	inTown(t, 4, s, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
		<-time.After(time.Minute)
		if all, _ := w.count(); all != 0 {
			t.Errorf("%d instances before there is a route", all)
		}
		w.route(l)
		<-time.After(time.Second)
		if all, started := w.count(); all != 1 || started != 0 {
			t.Errorf("%d instances, %d started; want one prepared", all, started)
		}
		if used := w.config.Budget.Used(); used.Memory != 0 {
			t.Errorf("the prepared instance takes %v", used)
		}
		id, waited, err := w.request(t.Context(), l, time.Second)
		if err != nil || waited != 42*time.Millisecond {
			t.Errorf("waited %v: %v", waited, err)
		}
		again, waited, err := w.request(t.Context(), l, time.Second)
		if again != id || waited != 0 || err != nil {
			t.Errorf("the second request waited %v for another instance: %v", waited, err)
		}
		<-time.After(contract.IdleTime - time.Minute)
		if _, started := w.count(); started != 1 {
			t.Error("the instance did not stay")
		}
		<-time.After(time.Minute + 10*time.Second)
		if all, started := w.count(); all != 1 || started != 0 {
			t.Errorf("%d instances, %d started; want another one prepared", all, started)
		}
		want := "INFO : " + contract.StartAutoscaling.Line() + "\n" +
			"INFO hello-1: Default STARTUP TCP probe succeeded after 1 attempt for container \"hello-1\" on port 8080\n"
		if got := w.said(); got != want {
			t.Errorf("said\n%s", got)
		}
	})
}

// contract: LIFE-1, NET-1, HC-10, SC-10, REV-5
func TestNeverListens(t *testing.T) {
	inTown(t, 4, script{listens: []time.Duration{-1}}, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
		begun := time.Now()
		err := w.Check(t.Context(), l.plan.name)
		var start *StartError
		if !errors.As(err, &start) || !strings.Contains(start.Message, "PORT=8080") ||
			!strings.HasSuffix(start.Message, " "+contract.SilentLine(8080)) {
			t.Errorf("check: %v", err)
		}
		if took := time.Since(begun); took != 4*time.Minute {
			t.Errorf("after %v", took)
		}
		if s := w.Status(l.plan.name); s.Failure != start || s.Ready != 0 {
			t.Errorf("status %+v", s)
		}
		_, waited, err := w.request(t.Context(), l, 0)
		if !errors.Is(err, ingress.ErrNoInstance) || waited != 0 {
			t.Errorf("a request waited %v: %v", waited, err)
		}
		if want := "The instance was not started. Connection failed with status DEADLINE_EXCEEDED."; !strings.Contains(w.said(), want) {
			t.Errorf("said\n%s", w.said())
		}
	})
}

// A container that ends before it listens is tried again after a second, then
// two, and so on, as long as somebody asks; meanwhile requests are refused.
//
// contract: LIFE-13, HC-9, SC-10, HC-10, REV-5
func TestCrashLoop(t *testing.T) {
	s := script{listens: []time.Duration{-1}, ends: 200 * time.Millisecond, exit: contract.Exit{Code: 3}}
	inTown(t, 4, s, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
		w.route(l)
		begun := time.Now()
		var starts []time.Duration
		for time.Since(begun) < 100*time.Second {
			_, _, err := w.request(t.Context(), l, 0)
			if !errors.Is(err, ingress.ErrNoInstance) {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond)
		}
		w.look(func() {
			for _, b := range w.made {
				if b.started() {
					starts = append(starts, b.began[0].Sub(begun).Round(time.Second))
				}
			}
		})
		want := []time.Duration{0, 1, 3, 7, 16, 32, 48, 65, 81, 97}
		for n := range starts {
			if n < len(want) && (starts[n]-want[n]*time.Second).Abs() > 3*time.Second {
				t.Errorf("started at %v", starts)
				break
			}
		}
		if len(starts) < 8 || len(starts) > 11 {
			t.Errorf("started at %v", starts)
		}
		for _, want := range []string{
			"WARNING hello-1: Container called exit(3).",
			"ERROR hello-1: Default STARTUP TCP probe failed 1 time consecutively for container \"hello-1\" on port 8080. The instance was not started. Connection failed with status CANCELLED.",
		} {
			if !strings.Contains(w.said(), want) {
				t.Errorf("not said: %s", want)
			}
		}
		if f := w.Status(l.plan.name).Failure; f == nil || !strings.Contains(f.Message, "exit(3)") {
			t.Errorf("failure %v", f)
		}
	})
}

// A start-up probe is tried as often as it says, each time for its period.
//
// contract: HC-4, HC-6, HC-10
func TestStartUpProbe(t *testing.T) {
	for name, c := range map[string]struct {
		well time.Duration
		took time.Duration
		said string
	}{
		"never":             {time.Hour, 5 * time.Second, "STARTUP HTTP probe failed 2 times consecutively for container \"hello-1\" on port 8080 path \"/up\". The instance was not started."},
		"at the second try": {3500 * time.Millisecond, 4 * time.Second, "STARTUP HTTP probe succeeded after 2 attempts for container \"hello-1\" on port 8080 path \"/up\""},
	} {
		s := script{answer: func(since time.Duration) error {
			if since < c.well {
				return errors.New("status 500")
			}
			return nil
		}}
		inTown(t, 4, s, func(t *testing.T, w *town) {
			l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
				r.GetContainers()[0].StartupProbe = &runpb.Probe{
					InitialDelaySeconds: 3, PeriodSeconds: 1, FailureThreshold: 2,
					ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: "/up"}},
				}
			}), auto(0, 10))
			begun := time.Now()
			err := w.Check(t.Context(), l.plan.name)
			if took := time.Since(begun); took != c.took {
				t.Errorf("%s: took %v", name, took)
			}
			if (err != nil) != (c.well == time.Hour) {
				t.Errorf("%s: %v", name, err)
			}
			if want := contract.ProbeMessage + " The last attempt: status 500."; err != nil && err.Error() != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
			if !strings.Contains(w.said(), c.said+"\n") {
				t.Errorf("%s: said\n%s", name, w.said())
			}
		})
	}
}

// Containers start after what they depend on is up, or at once where nobody can
// tell.
//
// contract: DEP-1, DEP-2
func TestDependencies(t *testing.T) {
	s := script{listens: []time.Duration{0, 2 * time.Second, -1}}
	inTown(t, 9, s, func(t *testing.T, w *town) {
		l := w.add(t, revision("hello-00001-abc", func(r *runpb.Revision) {
			main := r.GetContainers()[0]
			main.Ports = []*runpb.ContainerPort{{ContainerPort: 8080}}
			main.DependsOn = []string{"probed", "silent"}
			probed := &runpb.Container{Name: "probed", DependsOn: []string{"silent"}, StartupProbe: &runpb.Probe{
				ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 8081}},
			}}
			r.Containers = append(r.Containers, probed, &runpb.Container{Name: "silent"})
		}), auto(0, 10))
		begun := time.Now()
		if err := w.Check(t.Context(), l.plan.name); err != nil {
			t.Fatal(err)
		}
		w.look(func() {
			for n, want := range []time.Duration{2 * time.Second, 0, 0} {
				if at := w.made[0].began[n].Sub(begun); at != want {
					t.Errorf("container %d began after %v, want %v", n, at, want)
				}
			}
		})
	})
}

// What the host does wrong is tried again, and is not the container's fault.
func TestHostFails(t *testing.T) {
	for name, s := range map[string]script{
		"create": {createErr: errors.New("no space left on device")},
		"start":  {startErr: errors.New("shim is gone")},
	} {
		inTown(t, 4, s, func(t *testing.T, w *town) {
			l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
			_, waited, err := w.request(t.Context(), l, 0)
			if !errors.Is(err, ingress.ErrSaturated) || waited != 10*time.Second {
				t.Errorf("%s: waited %v: %v", name, waited, err)
			}
		})
	}
}

// One that cannot start at all fails at once.
//
// contract: SC-10, REV-5
func TestUnstartable(t *testing.T) {
	for _, s := range []script{
		{createErr: fmt.Errorf("entrypoint: %w", rruntime.ErrUnstartable)},
		{startErr: fmt.Errorf("entrypoint: %w", rruntime.ErrUnstartable)},
	} {
		inTown(t, 4, s, func(t *testing.T, w *town) {
			l := w.add(t, revision("hello-00001-abc", nil), auto(0, 10))
			_, waited, err := w.request(t.Context(), l, 0)
			if !errors.Is(err, ingress.ErrNoInstance) || waited != 0 {
				t.Errorf("waited %v: %v", waited, err)
			}
			var start *StartError
			if err := w.Check(t.Context(), l.plan.name); !errors.As(err, &start) {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// No instance starts that the next process would not know of.
func TestStartWaitsForTheRecord(t *testing.T) {
	inTown(t, 4, script{}, func(t *testing.T, w *town) {
		w.held = make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(w.held) })
		l := w.add(t, revision("hello-00001-abc", nil), auto(0, 1))
		if _, waited, err := w.request(t.Context(), l, 0); err != nil || waited != 3*time.Second {
			t.Errorf("waited %v: %v", waited, err)
		}
	})
}
