package scheduler

import (
	"context"
	"testing"
	"time"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// noop is an instance that has ended as soon as it has started. It costs
// nothing, so that what is left is the scheduler's own work.
type noop struct{}

func (noop) Started() bool               { return false }
func (noop) Start(context.Context) error { return nil }
func (noop) Wait(context.Context) (rruntime.Exit, error) {
	return rruntime.Exit{At: time.Unix(1, 0)}, nil
}
func (noop) Stop(context.Context, time.Duration) error { return nil }
func (noop) Delete(context.Context) error              { return nil }

func noopConfig() Config {
	return somewhere(Config{
		Create: func(context.Context, rruntime.Spec) (Instance, error) { return noop{}, nil },
		Budget: room(16),
	})
}

// contract: JOB-1
func TestTenThousandTasks(t *testing.T) {
	t.Parallel()
	s := New(noopConfig())
	e, status := execute(t, s, testJob(contract.MaxTasks, 0, 3, time.Minute))
	check(t, status, "succeeded 10000 failed 0 cancelled 0 retried 0")
	if n := len(tasksOf(t, e)); n != contract.MaxTasks {
		t.Errorf("%d tasks", n)
	}
	s.Wait()
}

// BenchmarkExecute10000 is the scheduler's own cost of a task, of the whole
// execution and of its last tenth.
func BenchmarkExecute10000(b *testing.B) {
	config := noopConfig()
	var first, last time.Time
	ended := 0
	config.Observe = func(ev Event) {
		if ev.Kind != AttemptEnded {
			return
		}
		switch ended++; ended {
		case 1000:
			first = ev.At
		case 9000:
			last = ev.At
		}
	}
	var whole, head, tail time.Duration
	for b.Loop() {
		ended = 0
		begun := time.Now()
		s := New(config)
		e, err := s.Execute(b.Context(), testJob(10_000, 0, 3, time.Minute), &rimage.Image{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err = e.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(begun)
		head += first.Sub(begun)
		tail += time.Since(last)
		s.Wait()
	}
	n := float64(b.N)
	b.ReportMetric(float64(whole.Microseconds())/n/10_000, "µs/task")
	b.ReportMetric(float64(head.Microseconds())/n/1000, "µs/task-first-1000")
	b.ReportMetric(float64(tail.Microseconds())/n/1000, "µs/task-last-1000")
}

// BenchmarkTriggerToStart is how long a created instance waits from the moment
// a slot is free to its start.
func BenchmarkTriggerToStart(b *testing.B) {
	config := noopConfig()
	config.Budget = room(1)
	var freed, started time.Time
	var sum time.Duration
	n := 0
	config.Observe = func(ev Event) {
		if ev.Kind == AttemptEnded {
			freed = time.Now()
		}
	}
	config.Create = func(context.Context, rruntime.Spec) (Instance, error) {
		return probe{started: func() {
			if started = time.Now(); !freed.IsZero() {
				sum += started.Sub(freed)
				n++
			}
		}}, nil
	}
	for b.Loop() {
		s := New(config)
		freed = time.Time{}
		e, err := s.Execute(b.Context(), testJob(1000, 1, 0, time.Minute), &rimage.Image{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err = e.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
		s.Wait()
	}
	b.ReportMetric(float64(sum.Nanoseconds())/float64(n), "ns/start")
}

// probe is a noop that tells when it is started.
type probe struct {
	noop
	started func()
}

func (p probe) Start(context.Context) error {
	p.started()
	return nil
}
