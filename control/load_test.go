package control_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/store"
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

// fill stores executions that have ended: n of each job, those of the first job
// before those of the next.
func fill(t *testing.T, w *controltest.World, jobs []string, n int) {
	t.Helper()
	at := time.Now().Add(-24 * time.Hour)
	for _, job := range jobs {
		err := w.Store().Update(t.Context(), func(tx *store.Tx) error {
			for i := range n {
				at = at.Add(time.Millisecond)
				x := &runpb.Execution{
					Name:           fmt.Sprintf("%s/executions/x-%05d", job, i),
					Uid:            fmt.Sprint(job, i),
					CreateTime:     timestamppb.New(at),
					CompletionTime: timestamppb.New(at),
					TaskCount:      1,
					Template:       controltest.NewJob(1).GetTemplate().GetTemplate(),
				}
				value, err := proto.Marshal(x)
				if err != nil {
					return err
				}
				tx.Put("executions", x.GetName(), at, value)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A page of one job's executions, or of one's tasks, costs the same however many
// newer ones other jobs have.
func TestListsOfOneJobDoNotReadThoseOfOthers(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	var jobs []string
	for i := range 40 {
		jobs = append(jobs, fmt.Sprintf("%s/jobs/job-%d", parent, i))
	}
	fill(t, w, jobs, 1000)
	// quickest is what the quickest of some calls takes.
	quickest := func(call func() error) time.Duration {
		best := time.Hour
		for range 10 {
			begin := time.Now()
			if err := call(); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	page := func(job string) func() error {
		return func() error {
			all, next, err := w.Control.Executions(t.Context(), control.Query[*runpb.Execution]{Parent: job})
			if len(all) != 100 || next == "" || all[0].GetName() != job+"/executions/x-00999" {
				t.Errorf("%d executions, the next page is %q", len(all), next)
			}
			return err
		}
	}
	task := func(job string) func() error {
		return func() error {
			all, _, err := w.Control.Tasks(t.Context(), control.Query[*runpb.Task]{Parent: job + "/executions/x-00999"})
			if len(all) != 1 {
				t.Errorf("%d tasks", len(all))
			}
			return err
		}
	}
	for what, list := range map[string]func(string) func() error{"executions": page, "tasks": task} {
		oldest, newest := quickest(list(jobs[0])), quickest(list(jobs[len(jobs)-1]))
		t.Logf("%s: %v of the oldest job, %v of the newest", what, oldest, newest)
		if oldest > 4*newest+2*time.Millisecond {
			t.Errorf("%s of the oldest job take %v, those of the newest %v", what, oldest, newest)
		}
	}
}
