package control_test

import (
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/control/controltest"
)

// contract: JOB-21
func TestAThousandClientsAtOnce(t *testing.T) {
	t.Parallel()
	const limit = 200
	w := controltest.Start(t, controltest.Options{Tasks: 64, Control: func(c *control.Config) { c.RunningExecutions = limit }})
	name := w.Job("hello", 1)
	var clients sync.WaitGroup
	var mu sync.Mutex
	var ran, refused int
	for range 1000 {
		clients.Go(func() {
			_, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
			_, getErr := w.Control.Job(t.Context(), name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case getErr != nil:
				t.Errorf("get: %v", getErr)
			case err == nil:
				ran++
			case status.Code(err) == codes.ResourceExhausted:
				refused++
			default:
				t.Errorf("run: %v", err)
			}
		})
	}
	clients.Wait()
	if ran < limit || ran+refused != 1000 {
		t.Errorf("%d ran, %d refused", ran, refused)
	}
	var all []*runpb.Execution
	w.Eventually("all to succeed", func() bool {
		all = executionsOf(t, w, name)
		for _, x := range all {
			if x.GetSucceededCount() != 1 {
				return false
			}
		}
		return true
	})
	if len(all) != ran || int(getJob(t, w, name).GetExecutionCount()) != ran {
		t.Errorf("%d executions, the job says %d: %d were accepted", len(all), getJob(t, w, name).GetExecutionCount(), ran)
	}
}

// executionsOf reads all pages.
func executionsOf(t *testing.T, w *controltest.World, job string) (all []*runpb.Execution) {
	t.Helper()
	q := control.Query[*runpb.Execution]{Parent: job, PageSize: 1000}
	for {
		page, next, err := w.Control.Executions(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		q.PageToken = next
	}
}

func TestListOfManyExecutionsComesQuickly(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Tasks: 64})
	name := w.Job("hello", 1)
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			for range 10 {
				_, op, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
				if err != nil {
					t.Error(err)
					return
				}
				w.WaitFor(op.GetName())
			}
		})
	}
	clients.Wait()
	begin := time.Now()
	all := executionsOf(t, w, name)
	took := time.Since(begin)
	t.Logf("%d executions in %v", len(all), took)
	if len(all) != 500 || took > 5*time.Second {
		t.Errorf("%d executions took %v", len(all), took)
	}
}
