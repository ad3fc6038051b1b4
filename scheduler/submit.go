package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
	rimage "runnel/image"
)

// Check says whether job, which has been validated, can be executed here,
// whatever its image: the error is the one that NewExecution would return.
func (s *Scheduler) Check(job *runpb.Job) error {
	_, err := s.NewExecution(job, "")
	return err
}

// Execute begins an execution of job, which has been validated, with the image
// of its container: NewExecution and Run at once.
func (s *Scheduler) Execute(ctx context.Context, job *runpb.Job, img *rimage.Image) (*Execution, error) {
	for {
		x, err := s.NewExecution(job, "")
		if err != nil {
			return nil, err
		}
		e, err := s.Run(ctx, x, img, Past{})
		if !errors.Is(err, ErrRunning) {
			return e, err
		}
	}
}

// NewExecution is the resource of a new execution of job, which has been
// validated: every setting resolved, nothing begun. A job without a full name
// is one of Config's project and region. The execution's short name is drawn,
// JOB-xxxxx, where name is empty. A job whose tasks can never fit on the host
// is refused with a *CapacityError.
func (s *Scheduler) NewExecution(job *runpb.Job, name string) (*runpb.Execution, error) {
	c := &s.config
	full, short := jobPath(job.GetName(), c.ProjectID, c.Region)
	p := newPlan(&runpb.Execution{
		Name:        full + "/executions/" + cmp.Or(name, newExecutionName(short)),
		Uid:         newUID(),
		Labels:      maps.Clone(job.GetTemplate().GetLabels()),
		Annotations: maps.Clone(job.GetTemplate().GetAnnotations()),
		CreateTime:  timestamppb.Now(),
		LaunchStage: api.LaunchStage_GA,
		Job:         short,
		TaskCount:   max(job.GetTemplate().GetTaskCount(), contract.MinTasks),
		Parallelism: job.GetTemplate().GetParallelism(),
		Template:    resolve(job.GetTemplate().GetTemplate(), c.ServiceAccount),
	})
	if err := p.describe(c, nil); err != nil {
		return nil, fmt.Errorf("job %s: %w", short, err)
	}
	return p.execution(&progress{updated: p.created}), c.Budget.Check(p.need)
}

// resolve is a copy of template in which what the job leaves unset has its
// default, so that another process, with other defaults, goes on with the same.
func resolve(template *runpb.TaskTemplate, account string) *runpb.TaskTemplate {
	template = proto.CloneOf(template)
	if template == nil {
		template = new(runpb.TaskTemplate)
	}
	if template.Retries == nil {
		template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: contract.DefaultRetries}
	}
	if template.GetTimeout().AsDuration() <= 0 {
		template.Timeout = durationpb.New(contract.DefaultTaskTimeout)
	}
	template.ServiceAccount = cmp.Or(template.GetServiceAccount(), account)
	return template
}

// FailedExecution is what becomes of x when it ends because of err, with all its
// tasks failed: its image cannot be had, for example. It has not begun, or
// cannot go on.
func FailedExecution(x *runpb.Execution, reason runpb.Condition_CommonReason, err error, at time.Time) *runpb.Execution {
	p := newPlan(x)
	x = p.execution(&progress{
		counts:  Counts{Failed: p.tasks},
		started: moment(x.GetStartTime()), completed: at, updated: at,
		failure: err.Error(),
	})
	for _, c := range x.GetConditions() {
		switch c.GetType() {
		case conditionContainerReady:
			c.State, c.Message, c.LastTransitionTime = runpb.Condition_CONDITION_FAILED, err.Error(), timestamp(at)
			fallthrough
		case conditionCompleted, conditionStarted:
			if c.GetState() == runpb.Condition_CONDITION_FAILED { // it may have started
				c.Reasons = &runpb.Condition_Reason{Reason: reason}
			}
		}
	}
	return x
}

// CancelledExecution is what becomes of x, as NewExecution has made it, when it
// is cancelled before it could begin.
func CancelledExecution(x *runpb.Execution, at time.Time) *runpb.Execution {
	p := newPlan(x)
	return p.execution(&progress{
		counts:    Counts{Cancelled: p.tasks},
		completed: at, updated: at,
		cancelling: true,
	})
}
