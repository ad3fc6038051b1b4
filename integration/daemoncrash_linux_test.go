package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/proto"

	"runnel/integration/rig"
)

// How much the crash test does.
const (
	crashKills      = 200
	crashExecutions = 14
	crashTasks      = 400
	crashSubmitters = 2
	crashRetries    = 2
)

// crashScript fails the first attempt of each seventh task, and each
// forty-third for good.
const crashScript = `n=$CLOUD_RUN_TASK_INDEX; a=$CLOUD_RUN_TASK_ATTEMPT
echo begin $n $a
[ $((n % 43)) = 42 ] && exit 3
[ $((n % 7)) = 6 ] && [ $a = 0 ] && exit 4
echo success $n $a`

// contract: JOB-1, JOB-2, JOB-25
// A daemon that is killed again and again loses no execution, counts each index
// once, and never runs an attempt twice.
func TestKilledDaemonLosesNothing(t *testing.T) {
	rig.HostOnly(t, "it takes minutes")
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(20 * time.Minute)
	createJob(d, ctx, "crash", &runpb.ExecutionTemplate{
		TaskCount: crashTasks,
		Template: &runpb.TaskTemplate{
			Retries: &runpb.TaskTemplate_MaxRetries{MaxRetries: crashRetries},
			Containers: []*runpb.Container{{
				Image: h.Shell(), Args: []string{crashScript},
				Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "0.25", "memory": "128Mi"}},
			}},
		},
	})
	var submitting sync.WaitGroup
	for range crashSubmitters {
		submitting.Go(func() { submitMany(d, ctx, crashExecutions/crashSubmitters) })
	}
	for range crashKills {
		<-time.After(time.Duration(50+rand.IntN(900)) * time.Millisecond)
		d.Kill()
		d.Start()
	}
	submitting.Wait()
	all := executionList(d, ctx, rig.Parent+"/jobs/crash")
	if len(all) < crashExecutions {
		t.Errorf("%d executions are there, %d were begun", len(all), crashExecutions)
	}
	for _, x := range all {
		checkCrashed(t, d, completedOf(d, ctx, x.GetName()))
	}
}

// createJob creates a job and waits until it is ready.
func createJob(d *rig.Daemon, ctx context.Context, id string, template *runpb.ExecutionTemplate) *runpb.Job {
	d.Host.Helper()
	op, err := d.Jobs(ctx).CreateJob(ctx, &runpb.CreateJobRequest{Parent: rig.Parent, JobId: id, Job: &runpb.Job{Template: template}})
	if err != nil {
		d.Host.Fatal(err)
	}
	job, err := op.Wait(ctx)
	if err != nil {
		d.Host.Fatal(err)
	}
	return job
}

// submitMany begins n executions, each once the one before has ended. A call that
// the daemon's death has cut off is made again; what it may have begun runs too.
func submitMany(d *rig.Daemon, ctx context.Context, n int) {
	jobs := d.Jobs(ctx)
	for range n {
		for begun := false; !begun && ctx.Err() == nil; {
			op, err := jobs.RunJob(ctx, &runpb.RunJobRequest{Name: rig.Parent + "/jobs/crash"})
			if err != nil {
				<-time.After(20 * time.Millisecond) // the daemon is dead just now
				continue
			}
			x, err := op.Metadata()
			if err != nil {
				d.Host.Error(err)
				return
			}
			begun = true
			completedOf(d, ctx, x.GetName())
		}
	}
}

// completedOf waits for the end of an execution, through the daemon's deaths.
func completedOf(d *rig.Daemon, ctx context.Context, name string) *runpb.Execution {
	executions := d.Executions(ctx)
	for ctx.Err() == nil {
		x, err := executions.GetExecution(ctx, &runpb.GetExecutionRequest{Name: name})
		if err == nil && x.GetCompletionTime() != nil {
			return x
		}
		<-time.After(50 * time.Millisecond)
	}
	d.Host.Errorf("%s: %v", name, context.Cause(ctx))
	return nil
}

// checkCrashed compares an execution's result with what its tasks have printed.
func checkCrashed(t *testing.T, d *rig.Daemon, x *runpb.Execution) {
	t.Helper()
	if x == nil {
		return
	}
	hopeless := int32(crashTasks / 43)
	if x.GetFailedCount() < hopeless || x.GetSucceededCount()+x.GetFailedCount() != crashTasks || x.GetCancelledCount() != 0 {
		t.Errorf("%s: %d succeeded, %d failed, %d cancelled of %d", x.GetName(), x.GetSucceededCount(), x.GetFailedCount(), x.GetCancelledCount(), crashTasks)
	}
	printed := printedBy(d, x)
	seen := map[int32]bool{}
	var succeeded, failed int32
	for _, task := range taskList(d, x) {
		index := task.GetIndex()
		if seen[index] {
			t.Errorf("%s: index %d is there twice", x.GetName(), index)
		}
		seen[index] = true
		success := fmt.Sprintf("success %d %d", index, task.GetRetried())
		switch done := task.GetConditions()[0].GetState(); {
		case done == runpb.Condition_CONDITION_SUCCEEDED && printed[success] == 1:
			succeeded++
		case done == runpb.Condition_CONDITION_FAILED && index%43 == 42 && task.GetRetried() == crashRetries:
			failed++
		default:
			t.Errorf("%s: task %d is %v after %d retries, %q was printed %d times", x.GetName(), index, done, task.GetRetried(), success, printed[success])
		}
	}
	if len(seen) != crashTasks || succeeded != x.GetSucceededCount() || failed != x.GetFailedCount() {
		t.Errorf("%s: %d tasks listed, %d succeeded, %d failed; the execution counts %d and %d", x.GetName(), len(seen), succeeded, failed, x.GetSucceededCount(), x.GetFailedCount())
	}
	for line, n := range printed {
		if strings.HasPrefix(line, "begin ") && n != 1 {
			t.Errorf("%s: the attempt %q began %d times", x.GetName(), line, n)
		}
	}
}

// executionList lists the executions of a job.
func executionList(d *rig.Daemon, ctx context.Context, job string) (list []*runpb.Execution) {
	d.Host.Helper()
	it := d.Executions(ctx).ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: job})
	for {
		x, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return list
		}
		if err != nil {
			d.Host.Fatal(err)
		}
		list = append(list, proto.CloneOf(x))
	}
}

// taskList lists the tasks of an execution.
func taskList(d *rig.Daemon, x *runpb.Execution) (tasks []*runpb.Task) {
	d.Host.Helper()
	ctx := d.Host.Limit(rig.Patience())
	it := d.Tasks(ctx).ListTasks(ctx, &runpb.ListTasksRequest{Parent: x.GetName(), PageSize: 100})
	for {
		task, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return tasks
		}
		if err != nil {
			d.Host.Error(err)
			return tasks
		}
		tasks = append(tasks, proto.CloneOf(task))
	}
}

// printedBy counts the lines that the tasks of an execution have printed.
func printedBy(d *rig.Daemon, x *runpb.Execution) map[string]int {
	d.Host.Helper()
	lines := map[string]int{}
	for line := range strings.Lines(d.Logs(x)) {
		lines[strings.TrimSuffix(line, "\n")]++
	}
	return lines
}
