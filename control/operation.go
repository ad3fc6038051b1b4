package control

import (
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// verb is what an operation does to its target.
type verb string

// The verbs. What they are done to is a job, an execution, a service, a worker
// pool, or a revision.
const (
	verbApply  verb = "apply" // create or update a job, a service or a worker pool
	verbRun    verb = "run"   // an execution
	verbCancel verb = "cancel"
	verbDelete verb = "delete"
)

// operation is the record of a long-running operation.
type operation struct {
	Verb verb `json:"verb"`
	// Target is the full name of what it is done to, UID its own.
	Target string    `json:"target"`
	UID    string    `json:"uid"`
	When   time.Time `json:"when"`

	// Done says that the rest holds: the target as it was then, and what went
	// wrong, if anything did.
	Done     bool   `json:"done,omitempty"`
	Resource []byte `json:"resource,omitempty"`
	Code     int32  `json:"code,omitempty"`
	Message  string `json:"message,omitempty"`
}

// resource is what operations are about: a job, an execution, a service, a worker
// pool, or a revision.
type resource interface {
	proto.Message
	GetName() string
	GetUid() string
}

// end is how far the target of an operation has come.
type end struct {
	// target is the resource as clients see it now or, if it has been removed,
	// have seen it last.
	target  resource
	removed bool
	// timedOut says of an execution that failed that it did so by a timeout.
	timedOut bool
}

// settle is what the operation has come to with its target: it is done if that
// has come to the operation's end.
func (o operation) settle(e end) operation {
	var done bool
	var failure *rpc.Status
	switch t := e.target.(type) {
	case *runpb.Job:
		done, failure = o.settleJob(t, e)
	case *runpb.Execution:
		done, failure = o.settleExecution(t, e)
	case *runpb.Service:
		done, failure = o.settleOwner(t, "service", e)
	case *runpb.WorkerPool:
		done, failure = o.settleOwner(t, "worker pool", e)
	case *runpb.Revision:
		done = e.removed // it is only ever deleted
	}
	if done {
		o.Done, o.Code, o.Message = true, failure.GetCode(), failure.GetMessage()
		o.Resource = marshal(e.target)
	}
	return o
}

func (o operation) settleJob(job *runpb.Job, e end) (done bool, failure *rpc.Status) {
	switch {
	case o.Verb == verbDelete:
		return e.removed, nil
	case e.removed:
		return true, &rpc.Status{Code: int32(codes.Aborted), Message: "The job was deleted."}
	}
	return !job.GetReconciling(), conditionError(job.GetTerminalCondition())
}

// settleOwner is about a service or a worker pool.
func (o operation) settleOwner(s interface {
	GetReconciling() bool
	GetTerminalCondition() *runpb.Condition
}, noun string, e end) (done bool, failure *rpc.Status) {
	switch {
	case o.Verb == verbDelete:
		return e.removed, nil
	case e.removed:
		return true, &rpc.Status{Code: int32(codes.Aborted), Message: "The " + noun + " was deleted."}
	}
	return !s.GetReconciling(), conditionError(s.GetTerminalCondition())
}

func (o operation) settleExecution(x *runpb.Execution, e end) (done bool, failure *rpc.Status) {
	switch {
	case o.Verb == verbDelete:
		return e.removed, nil
	case o.Verb == verbRun && !e.removed:
		if failure = conditionError(completed(x)); failure != nil && e.timedOut {
			failure.Code = int32(codes.DeadlineExceeded)
		}
	}
	return ended(x) || e.removed, failure
}

// message is the operation called name as clients see it. Where it is not done,
// target is what it is done to.
func (o operation) message(name string, target resource) *longrunningpb.Operation {
	if o.Done {
		target = o.stored()
	}
	m := &longrunningpb.Operation{Name: name, Done: o.Done}
	about, _ := anypb.New(target) // which is a message that could be read
	m.Metadata = about
	switch {
	case !o.Done:
	case o.Code != 0:
		m.Result = &longrunningpb.Operation_Error{Error: &rpc.Status{Code: o.Code, Message: o.Message}}
	default:
		m.Result = &longrunningpb.Operation_Response{Response: about}
	}
	return m
}

// stored is the target as it was when the operation was done.
func (o operation) stored() resource {
	var target resource
	switch split(o.Target).at {
	case atJob:
		target = &runpb.Job{}
	case atService:
		target = &runpb.Service{}
	case atWorkerPool:
		target = &runpb.WorkerPool{}
	case atRevision, atPoolRevision:
		target = &runpb.Revision{}
	default:
		target = &runpb.Execution{}
	}
	_ = proto.Unmarshal(o.Resource, target) // it is what marshal wrote
	return target
}

// conditionError is what a condition that tells of a failure is as the error of
// an operation, nil for others, and for executions that were cancelled.
func conditionError(c *runpb.Condition) *rpc.Status {
	if c.GetState() != runpb.Condition_CONDITION_FAILED {
		return nil
	}
	code := codes.Aborted
	switch c.GetReasons().(type) {
	case *runpb.Condition_ExecutionReason_:
		switch c.GetExecutionReason() {
		case runpb.Condition_CANCELLED, runpb.Condition_DELETED:
			return nil
		}
	case *runpb.Condition_RevisionReason_:
		code = codes.FailedPrecondition
	case *runpb.Condition_Reason:
		code = reasonCode(c.GetReason())
	}
	return &rpc.Status{Code: int32(code), Message: c.GetMessage()}
}

// reasonCode is the code of an error for a reason.
func reasonCode(r runpb.Condition_CommonReason) codes.Code {
	switch r {
	case runpb.Condition_CONTAINER_MISSING:
		return codes.NotFound
	case runpb.Condition_CONTAINER_IMAGE_UNAUTHORIZED:
		return codes.PermissionDenied
	case runpb.Condition_PROGRESS_DEADLINE_EXCEEDED:
		return codes.DeadlineExceeded
	case runpb.Condition_INTERNAL:
		return codes.Internal
	}
	return codes.FailedPrecondition
}
