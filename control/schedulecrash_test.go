package control_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	"runnel/control"
	"runnel/control/controltest"
)

// However a daemon is killed around a tick, the tick has one execution in the
// end.
// contract: JOB-29, KF-11
func TestCrashAroundATick(t *testing.T) {
	t.Parallel()
	clock := &dial{now: hour(9).Add(time.Minute)}
	with := func(c *control.Config) { c.Now = clock.Now }
	var name string
	var before []byte // the state that has the schedule and not its tick, which a slow host may not see pass
	states := statesOf(t, controltest.Options{Control: with}, func(t *testing.T, w *controltest.World) {
		w.Instances.Always(controltest.Script{Runs: 5 * time.Millisecond})
		s := &scheduled{World: w, t: t, clock: clock}
		name = s.schedule("hourly", w.Job("etl", 1), func(s *schedulerpb.Job) {
			s.Target = target(parent+"/jobs/etl", "Runnel-Concurrency-Policy", "Forbid")
		})
		var err error
		if before, err = w.State(); err != nil {
			t.Fatal(err)
		}
		s.set(hour(10))
		w.Ended(s.after(name, 1)[0].Execution)
	})
	states = append(states, before)
	later := &dial{now: hour(10).Add(time.Minute)}
	var tried atomic.Int32 // states in which there is a schedule
	t.Cleanup(func() {
		if tried.Load() < 2 {
			t.Errorf("%d of %d states have a schedule", tried.Load(), len(states))
		}
	})
	for i, state := range states {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := controltest.Start(t, controltest.Options{State: state, Control: func(c *control.Config) { c.Now = later.Now }})
			s := &scheduled{World: w, t: t, clock: later}
			if _, err := w.Control.Schedule(t.Context(), name); err != nil {
				return // it was not there yet
			}
			tried.Add(1)
			run := s.after(name, 1)[0]
			w.Ended(run.Execution)
			w.Restart()
			if n := len(executionsOf(t, w, parent+"/jobs/etl")); n != 1 || !run.Scheduled.Equal(hour(10)) || len(s.runs(name)) != 1 {
				t.Errorf("%d executions, %+v", n, s.runs(name))
			}
		})
	}
}
