package scheduler

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
)

// Tasks are the tasks of x by index, with what the journal has kept of each: n
// of them or what there is, from index from on. One without a record is Pending,
// or has ended as its execution has. They share their containers and volumes,
// which must not be changed.
func Tasks(x *runpb.Execution, from, n int, records []TaskRecord) []*runpb.Task {
	p := newPlan(x)
	from = max(0, from)
	n = min(n, p.tasks-from)
	if n <= 0 {
		return nil
	}
	tasks := make([]*runpb.Task, n)
	for _, r := range records {
		if i := r.Index - from; i >= 0 && i < n {
			tasks[i] = p.task(p.recorded(r))
		}
	}
	for i, t := range tasks {
		if t == nil {
			tasks[i] = p.task(p.unrecorded(from + i))
		}
	}
	return tasks
}

// recorded is the record r, or what stands for it if it says nothing.
func (p *plan) recorded(r TaskRecord) *TaskRecord {
	if r.State == "" {
		return p.unrecorded(r.Index)
	}
	return &r
}

// unrecorded stands for the record of a task that has none.
func (p *plan) unrecorded(index int) *TaskRecord {
	r := &TaskRecord{Index: index, State: Pending}
	if p.x.GetCompletionTime() == nil {
		return r
	}
	r.Completed = p.x.GetCompletionTime().AsTime()
	r.Updated = r.Completed
	for _, c := range p.x.GetConditions() {
		if c.GetType() != conditionCompleted {
			continue
		}
		r.State, r.Error = Failed, c.GetMessage()
		if c.GetExecutionReason() == runpb.Condition_CANCELLED {
			r.State, r.Error = Cancelled, ""
		}
	}
	return r
}

// execution is the resource of an execution that has come as far as g.
func (p *plan) execution(g *progress) *runpb.Execution {
	x := proto.CloneOf(p.x)
	x.Generation = 1
	if g.cancelling {
		x.Generation++ // a cancel is a change of what is desired
	}
	x.ObservedGeneration = x.Generation
	x.StartTime = timestamp(g.started)
	x.CompletionTime = timestamp(g.completed)
	x.UpdateTime = timestamppb.New(g.updated)
	x.Parallelism = int32(p.parallelism)
	x.TaskCount = int32(p.tasks)
	x.Reconciling = g.completed.IsZero()
	x.Conditions = p.conditions(g)
	x.RunningCount = int32(g.counts.Running)
	x.SucceededCount = int32(g.counts.Succeeded)
	x.FailedCount = int32(g.counts.Failed)
	x.CancelledCount = int32(g.counts.Cancelled)
	x.RetriedCount = int32(g.counts.Retried)
	return x
}

// task is the resource of the task whose record is r.
func (p *plan) task(r *TaskRecord) *runpb.Task {
	name := contract.TaskName(p.name, r.Index)
	updated := p.created
	if r.Updated.After(updated) {
		updated = r.Updated
	}
	template := p.x.GetTemplate()
	return &runpb.Task{
		Name:                 p.x.GetName() + "/tasks/" + name,
		Uid:                  taskUID(p.x.GetUid(), r.Index),
		Generation:           1,
		ObservedGeneration:   1,
		Labels:               map[string]string{StateLabel: string(r.State)},
		CreateTime:           timestamppb.New(p.created),
		ScheduledTime:        timestamp(r.Scheduled),
		StartTime:            timestamp(r.Started),
		CompletionTime:       timestamp(r.Completed),
		UpdateTime:           timestamppb.New(updated),
		Job:                  p.job,
		Execution:            p.name,
		Containers:           template.GetContainers(),
		Volumes:              template.GetVolumes(),
		MaxRetries:           int32(p.maxRetries),
		Timeout:              durationpb.New(p.timeout),
		ServiceAccount:       template.GetServiceAccount(),
		ExecutionEnvironment: template.GetExecutionEnvironment(),
		Reconciling:          !r.State.Final(),
		Conditions:           taskConditions(name, p.created, r),
		Index:                int32(r.Index),
		Retried:              int32(max(0, r.Attempts-1)),
		LastAttemptResult:    lastResult(r),
	}
}
