package control

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
	"runnel/store"
)

// serveTurn does what a schedule's turn asks for, or the next step towards it.
func (c *Control) serveTurn(ctx context.Context, job *schedulerpb.Job, of scheduleNote, next turn) error {
	if next.anew {
		return c.beginAnew(ctx, job, of)
	}
	s := scheduled{job, of, next}
	t, err := c.readTarget(job)
	if err != nil {
		return c.leaveOut(ctx, s, status.Error(codes.InvalidArgument, err.Error()))
	}
	if t.policy != contract.AllowConcurrent && c.goesOn(of.Last) {
		if t.policy == contract.ReplaceConcurrent {
			return c.replace(ctx, of.Last)
		}
		return c.leaveOut(ctx, s, wrongState("Execution '%s' had not ended.", split(of.Last).id()))
	}
	gone, err := c.launchScheduled(ctx, s, t)
	switch {
	case gone, err == nil:
		return nil // whoever has changed it has it looked at again
	case ctx.Err() != nil, status.Code(err) == codes.Unavailable:
		return err
	}
	return c.leaveOut(ctx, s, err)
}

// launchScheduled makes the execution that is due. That it was due is noted in
// the transaction that creates it, so that there is one, whoever dies. It
// reports gone if the schedule has been changed meanwhile; then there is none.
func (c *Control) launchScheduled(ctx context.Context, s scheduled, t scheduleTarget) (gone bool, err error) {
	n, err := c.theJob(split(t.request.GetName()))
	if err != nil {
		return false, err
	}
	job, err := c.runnable(n, t.request)
	if err != nil {
		return false, err
	}
	_, err = c.launchUnnamed(ctx, job, actsFor(s.Job), func(l *launch) {
		l.also = func(tx *store.Tx) error {
			gone = !s.settle(tx, ScheduledRun{Attempted: l.execution.GetCreateTime().AsTime(), Execution: l.execution.GetName()})
			if gone {
				return status.Error(codes.FailedPrecondition, "the schedule has been changed")
			}
			return nil
		}
	})
	if err == nil || ctx.Err() != nil { // then the change may still be under way
		return false, err
	}
	return gone, err
}

// goesOn reports whether an execution has not ended.
func (c *Control) goesOn(execution string) (goes bool) {
	if execution == "" {
		return false
	}
	err := c.view(func(tx *store.Tx) error {
		x := getExecution(tx, execution)
		goes = x != nil && !ended(x)
		return nil
	})
	return goes && err == nil
}

// replace cancels an execution, and returns when it has ended.
func (c *Control) replace(ctx context.Context, execution string) error {
	for {
		changed, leave := c.changes.listen(execution)
		x, of, err := c.readExecution(split(execution))
		if isNotFound(err) || err == nil && ended(x) {
			leave()
			return nil
		}
		if err == nil && !of.unwanted() {
			c.config.Logger.Info("execution is replaced", "execution", execution)
			err = c.markCancelled(ctx, execution)
		}
		if err == nil {
			select {
			case <-changed:
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		leave()
		if err != nil {
			return err
		}
	}
}

// leaveOut notes that there is no run, and why.
func (c *Control) leaveOut(ctx context.Context, s scheduled, why error) error {
	st := status.Convert(why)
	c.config.Logger.Warn("scheduled run is left out", "schedule", s.GetName(), "err", why)
	return c.persist(ctx, func(tx *store.Tx) error {
		s.settle(tx, ScheduledRun{Attempted: now(), Code: st.Code(), Message: st.Message()})
		return nil
	})
}

// beginAnew has ticks count from now on.
func (c *Control) beginAnew(ctx context.Context, s *schedulerpb.Job, read scheduleNote) error {
	c.config.Logger.Warn("the clock has been set back: schedule begins anew", "schedule", s.GetName(), "handled", read.Handled)
	return c.persist(ctx, func(tx *store.Tx) error {
		if now, of := getSchedule(tx, s.GetName()), getScheduleNote(tx, s.GetName()); now != nil && of.UID == read.UID && of.Handled.Equal(read.Handled) {
			of.Handled = c.config.Now()
			putSchedule(tx, now, of)
		}
		return nil
	})
}

// showRun has a schedule show what became of its last run.
func showRun(s *schedulerpb.Job, r ScheduledRun) {
	s.LastAttemptTime = timestamppb.New(r.Attempted)
	s.Status = &rpcstatus.Status{Code: int32(r.Code), Message: r.Message}
}

// ResultOf is what has become of a run: "running", "succeeded", "failed" or
// "cancelled" as its execution is, "removed" if that is not there any more, and
// "left out" if there was none.
func (c *Control) ResultOf(r ScheduledRun) string {
	if r.Execution == "" {
		return "left out"
	}
	var x *runpb.Execution
	err := c.view(func(tx *store.Tx) error {
		x = getExecution(tx, r.Execution)
		return nil
	})
	if err != nil || x == nil {
		return "removed"
	}
	switch completionStatus(x) {
	case runpb.ExecutionReference_EXECUTION_SUCCEEDED:
		return "succeeded"
	case runpb.ExecutionReference_EXECUTION_FAILED:
		return "failed"
	case runpb.ExecutionReference_EXECUTION_CANCELLED:
		return "cancelled"
	}
	return "running"
}
