package scheduler

import (
	"maps"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
)

// execution is the resource of an execution that has come as far as g.
func (p *plan) execution(g *progress) *runpb.Execution {
	generation := int64(1)
	if g.cancelling {
		generation++ // a cancel is a change of what is desired
	}
	return &runpb.Execution{
		Name:               p.path,
		Uid:                p.uid,
		Generation:         generation,
		ObservedGeneration: generation,
		Labels:             maps.Clone(p.labels),
		Annotations:        maps.Clone(p.annotations),
		CreateTime:         timestamppb.New(p.created),
		StartTime:          timestamp(g.started),
		CompletionTime:     timestamp(g.completed),
		UpdateTime:         timestamppb.New(g.updated),
		LaunchStage:        api.LaunchStage_GA,
		Job:                p.job,
		Parallelism:        int32(p.parallelism),
		TaskCount:          int32(p.tasks),
		Template:           proto.CloneOf(p.template),
		Reconciling:        g.completed.IsZero(),
		Conditions:         p.conditions(g),
		RunningCount:       int32(g.counts.Running),
		SucceededCount:     int32(g.counts.Succeeded),
		FailedCount:        int32(g.counts.Failed),
		CancelledCount:     int32(g.counts.Cancelled),
		RetriedCount:       int32(g.counts.Retried),
	}
}

// task is the resource of the task at index.
func (p *plan) task(index int, t *task) *runpb.Task {
	name := contract.TaskName(p.name, index)
	updated := p.created
	for _, at := range []time.Time{t.scheduled, t.started, t.exit.At, t.completed} {
		if at.After(updated) {
			updated = at
		}
	}
	return &runpb.Task{
		Name:                 p.path + "/tasks/" + name,
		Uid:                  taskUID(p.uid, index),
		Generation:           1,
		ObservedGeneration:   1,
		Labels:               map[string]string{StateLabel: string(t.state)},
		CreateTime:           timestamppb.New(p.created),
		ScheduledTime:        timestamp(t.scheduled),
		StartTime:            timestamp(t.started),
		CompletionTime:       timestamp(t.completed),
		UpdateTime:           timestamppb.New(updated),
		Job:                  p.job,
		Execution:            p.name,
		Containers:           p.template.GetContainers(),
		Volumes:              p.template.GetVolumes(),
		MaxRetries:           int32(p.maxRetries),
		Timeout:              durationpb.New(p.timeout),
		ServiceAccount:       p.spec.Identity.ServiceAccount,
		ExecutionEnvironment: p.template.GetExecutionEnvironment(),
		Reconciling:          !t.state.Final(),
		Conditions:           taskConditions(name, p.created, t),
		Index:                int32(index),
		Retried:              int32(max(0, t.attempts-1)),
		LastAttemptResult:    lastResult(t),
	}
}
