package control

import (
	"context"
	"math"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler"
)

// InstanceList is which instances an execution has had so far.
type InstanceList struct {
	// Execution is the execution as it stands.
	Execution *runpb.Execution
	// Tasks are those that have been attempted, by index.
	Tasks []TaskInstances
	// More says that there may come more.
	More bool
}

// TaskInstances are the instances of one task.
type TaskInstances struct {
	// Index is the task's.
	Index int
	// IDs are those of its attempts so far, in their order.
	IDs []string
	// Record is how far the task has come.
	Record scheduler.TaskRecord
}

// Instances are the instances of an execution, which may be named as in
// Execution. An attempt is among them before its process starts.
func (c *Control) Instances(ctx context.Context, execution string) (*InstanceList, error) {
	x, err := c.Execution(ctx, execution)
	if err != nil {
		return nil, err
	}
	// The records are read after the execution was seen: if it had ended, they
	// are complete.
	_, records, err := c.readTasks(split(x.GetName()), 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	list := &InstanceList{Execution: x, More: !ended(x)}
	for _, r := range records {
		if r.Attempts > 0 {
			list.Tasks = append(list.Tasks, TaskInstances{Index: r.Index, IDs: instanceIDs(x, r), Record: r})
		}
	}
	return list, nil
}
