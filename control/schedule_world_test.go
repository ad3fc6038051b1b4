package control_test

import (
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	"runnel/control"
	"runnel/control/controltest"
)

// dial is a clock that tests set.
type dial struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Now is what it shows.
func (d *dial) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// scheduled is a world whose schedules have a clock that tests set.
type scheduled struct {
	*controltest.World
	t     *testing.T
	clock *dial
}

// newScheduled starts one, on a Friday morning.
func newScheduled(t *testing.T) *scheduled {
	t.Helper()
	s := &scheduled{t: t, clock: &dial{now: time.Date(2026, 11, 27, 9, 0, 30, 0, time.UTC)}}
	s.World = controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.Now = s.clock.Now }})
	return s
}

// set sets the clock.
func (s *scheduled) set(now time.Time) {
	s.clock.mu.Lock()
	s.clock.now = now
	s.clock.mu.Unlock()
	if s.Control != nil {
		control.LookAtTheClock(s.Control)
	}
}

// pass lets time pass.
func (s *scheduled) pass(d time.Duration) { s.set(s.clock.Now().Add(d)) }

// target is how a schedule runs the job with the full name.
func target(job string, headers ...string) *schedulerpb.Job_HttpTarget {
	t := &schedulerpb.HttpTarget{Uri: "https://run.googleapis.com/v2/" + job + ":run", Headers: map[string]string{}}
	for i := 0; i+1 < len(headers); i += 2 {
		t.Headers[headers[i]] = headers[i+1]
	}
	return &schedulerpb.Job_HttpTarget{HttpTarget: t}
}

// schedule creates a schedule of every hour that runs the job with the full
// name, and returns its name.
func (s *scheduled) schedule(id, job string, change ...func(*schedulerpb.Job)) string {
	s.t.Helper()
	want := &schedulerpb.Job{Name: parent + "/jobs/" + id, Schedule: "0 * * * *", Target: target(job)}
	for _, c := range change {
		c(want)
	}
	got, err := s.Control.CreateSchedule(s.t.Context(), &schedulerpb.CreateJobRequest{Parent: parent, Job: want})
	if err != nil {
		s.t.Fatalf("create schedule %s: %v", id, err)
	}
	return got.GetName()
}

// get is a schedule as it stands.
func (s *scheduled) get(name string) *schedulerpb.Job {
	s.t.Helper()
	got, err := s.Control.Schedule(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// run has a schedule run now.
func (s *scheduled) run(name string) *schedulerpb.Job {
	s.t.Helper()
	got, err := s.Control.RunSchedule(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// runs are what a schedule has done, the newest first.
func (s *scheduled) runs(name string) []control.ScheduledRun {
	s.t.Helper()
	runs, err := s.Control.ScheduledRuns(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return runs
}

// after are the runs of a schedule once there are n.
func (s *scheduled) after(name string, n int) (runs []control.ScheduledRun) {
	s.t.Helper()
	s.Eventually("the runs of "+name, func() bool {
		runs = s.runs(name)
		return len(runs) >= n
	})
	if len(runs) != n {
		s.t.Fatalf("%d runs, want %d: %+v", len(runs), n, runs)
	}
	return runs
}

// hour is a time of that Friday.
func hour(h int) time.Time { return time.Date(2026, 11, 27, h, 0, 0, 0, time.UTC) }
