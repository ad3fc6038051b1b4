package scheduler

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// A thousand executions prepare together what one does: the host is not filled
// with instances that only wait, and each has its turn.
//
// contract: JOB-21
func TestThousandExecutions(t *testing.T) {
	play := always(script{createTakes: 100 * time.Millisecond, runs: time.Second})
	bubble(t, Config{Budget: room(16), Creating: 4, Ahead: 4}, play, func(t *testing.T, s *Scheduler, h *host) {
		var all []*Execution
		for i := range 1000 {
			job := testJob(2, 0, 0, time.Hour)
			job.Name = fmt.Sprintf("job-%d", i)
			all = append(all, begin(t, s, job))
		}
		begun := time.Now()
		for _, e := range all {
			check(t, wait(t, e), "succeeded 2 failed 0 cancelled 0 retried 0")
		}
		// 16 that run, 8 that are prepared, and those on their way out.
		if h.mostCreated > 16+8+16 || h.mostRunning != 16 {
			t.Errorf("%d instances at once, %d ran", h.mostCreated, h.mostRunning)
		}
		if took := time.Since(begun); took > 180*time.Second {
			t.Errorf("took %s, want little more than 2000 tasks on 16 slots", took)
		}
	})
}

// Instances that wait behind their execution's own parallelism keep nobody else
// from going on.
func TestPreparedInstancesStarveNobody(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if spec.Containers[0].Limits.Memory > 512*contract.MiB {
			return script{runs: time.Hour}
		}
		return script{runs: time.Second}
	}
	bubble(t, Config{Budget: room(100), Creating: 2, Ahead: 2}, play, func(t *testing.T, s *Scheduler, h *host) {
		var slow []*Execution
		for range 8 {
			job := testJob(10, 1, 0, 24*time.Hour)
			job.Template.Template.Containers[0].Resources.Limits["memory"] = "1Gi"
			slow = append(slow, begin(t, s, job))
		}
		<-time.After(time.Minute)
		begun := time.Now()
		_, status := execute(t, s, testJob(100, 0, 0, time.Minute))
		check(t, status, "succeeded 100 failed 0 cancelled 0 retried 0")
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		for _, e := range slow {
			e.Kill()
			wait(t, e)
		}
	})
}

// An execution that has no use for room any more makes way in the queue.
func TestPlaceInTheQueueIsGivenUp(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		index, _ := indexOf(spec)
		switch {
		case strings.HasPrefix(spec.ID, "quick-"):
			return script{runs: time.Second}
		case strings.HasPrefix(spec.ID, "broken-") && index == 1:
			return script{createErr: errors.New("disk full")}
		}
		return script{runs: time.Hour}
	}
	bubble(t, Config{Budget: room(3), Creating: 1, Ahead: 1}, play, func(t *testing.T, s *Scheduler, h *host) {
		job := func(name string, tasks, parallelism int) *runpb.Job {
			job := testJob(tasks, parallelism, 0, 24*time.Hour)
			job.Name = name
			return job
		}
		// Two that run one task and hold another ready, which is all that may
		// be prepared, and one that runs one and queues for another.
		slow := []*Execution{begin(t, s, job("slow", 10, 1)), begin(t, s, job("slow", 10, 1))}
		synctest.Wait()
		broken := begin(t, s, job("broken", 2, 0))
		synctest.Wait()
		// Now it can be prepared, and fails.
		slow[0].Kill()
		wait(t, slow[0])
		<-time.After(time.Minute)
		if n := statusOf(t, broken).GetFailedCount(); n != 1 {
			t.Fatalf("%d have failed", n)
		}
		begun := time.Now()
		_, status := execute(t, s, job("quick", 2, 0))
		check(t, status, "succeeded 2 failed 0 cancelled 0 retried 0")
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		for _, e := range []*Execution{slow[1], broken} {
			e.Kill()
			wait(t, e)
		}
	})
}

// An execution that waits costs little, however many tasks it has.
func TestIdleExecutionsAreSmall(t *testing.T) {
	config := noopConfig()
	config.Budget = room(1)
	config.Journal = newMemJournal()
	s := New(config)
	s.config.Budget.used = s.config.Budget.capacity // nothing can start
	measure := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	const n = 500
	before := measure()
	var all []*Execution
	for range n {
		all = append(all, begin(t, s, testJob(contract.MaxTasks, 0, 0, time.Minute)))
	}
	for _, e := range all {
		statusOf(t, e)
	}
	if each := (measure() - before) / n; each > 64<<10 {
		t.Errorf("%d bytes each", each)
	}
	s.Detach()
	s.Wait()
	for _, e := range all {
		<-e.left
	}
}
