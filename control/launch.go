package control

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/scheduler"
	"runnel/store"
)

// launch is an execution about to be created.
type launch struct {
	control *Control
	// job is what it was made from, as read.
	job *runpb.Job
	// execution is the resource, op the operation that follows it, nil if there
	// is none.
	execution *runpb.Execution
	op        *pending
	note      note
	// also is done in the same transaction; nil for nothing.
	also func(*store.Tx) error
}

// newLaunch makes an execution of job on behalf of creator. Its id is drawn
// where none is given. The image is the one that the job is known to mean.
func (c *Control) newLaunch(job *runpb.Job, id, creator string) (*launch, error) {
	l := &launch{control: c, job: job, note: note{Reference: image(job)}}
	err := c.view(func(tx *store.Tx) error {
		if p := getPin(tx, job.GetName()); p.Reference == l.note.Reference {
			l.note.Digest = p.Digest
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	pinned := proto.CloneOf(job)
	pinned.GetTemplate().GetTemplate().GetContainers()[0].Image = byDigest(l.note.Reference, l.note.Digest)
	if err := c.completeTask(pinned, l.note.Digest); err != nil {
		return nil, err
	}
	x, err := c.config.Scheduler.NewExecution(pinned, id)
	if err != nil {
		return nil, launchError(err)
	}
	x.Creator = creator
	x.CreateTime = timestamppb.New(x.GetCreateTime().AsTime().Truncate(time.Microsecond))
	nameTask(x)
	l.execution = x
	return l, nil
}

// launchError says why the scheduler cannot run a job.
func launchError(err error) error {
	var capacity *scheduler.CapacityError
	if errors.As(err, &capacity) {
		return wrongState("The job is too large for this host: %v.", err)
	}
	return status.Error(codes.InvalidArgument, err.Error())
}

// follow has an operation follow the execution.
func (l *launch) follow() {
	l.op = l.control.begin(verbRun, split(l.execution.GetName()), l.execution.GetUid())
}

// do stores the execution and has it seen to. It fails if there is one of its
// name, or as many run as may.
func (l *launch) do(ctx context.Context) error {
	c, n := l.control, split(l.execution.GetName())
	if err := c.census.reserve(n, c.config.RunningExecutions); err != nil {
		l.settled(n, err)
		return err
	}
	return c.update(ctx, l.store, func(err error) {
		if !c.stands(err, kindExecutions, n.String()) {
			c.census.forget(n)
		}
		l.settled(n, err)
	})
}

// store is the change that creates the execution.
func (l *launch) store(tx *store.Tx) error {
	n := split(l.execution.GetName())
	job := getJob(tx, l.job.GetName())
	switch {
	case job.GetUid() != l.job.GetUid():
		return notFound(n.up(atJob))
	case job.GetDeleteTime() != nil:
		return beingDeleted(n.up(atJob))
	case getExecution(tx, n.String()) != nil:
		return alreadyExists(n)
	}
	if l.also != nil {
		if err := l.also(tx); err != nil {
			return err
		}
	}
	if err := l.number(tx); err != nil {
		return err
	}
	// An image that the job does not mean any more may be on its way out.
	if digest := l.note.Digest; digest != "" && getPin(tx, l.job.GetName()).Digest != digest {
		return status.Errorf(codes.Aborted, "Resource '%s' has just been changed: try again.", n.up(atJob).id())
	}
	putExecution(tx, l.execution)
	putNote(tx, l.execution, l.note)
	if l.op != nil {
		l.op.put(tx)
	}
	return nil
}

// settled says whether the execution has been created.
func (l *launch) settled(n name, err error) {
	c := l.control
	if l.op != nil {
		l.op.settled(err)
	}
	if !c.stands(err, kindExecutions, n.String()) {
		return
	}
	c.census.add(n, l.execution.GetCreateTime().AsTime(), false)
	c.config.Logger.Info("execution is created", "job", l.job.GetName(), "execution", n.id(), "by", l.execution.GetCreator())
	c.attention.call(n.String(), c.tendExecution)
}

// beingDeleted says that it is too late for a change.
func beingDeleted(n name) error {
	return wrongState("Resource '%s' is being deleted.", n.id())
}
