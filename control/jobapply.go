package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// CreateJob stores a new job. It is ready, and the operation done, when its
// image has been imported, and the execution that its token names, if it has
// one, has started or succeeded.
func (c *Control) CreateJob(ctx context.Context, r *runpb.CreateJobRequest) (*runpb.Job, *longrunningpb.Operation, error) {
	parent, err := c.parse("parent", r.GetParent(), atLocation)
	if err != nil {
		return nil, nil, err
	}
	if err := checkParent(parent); err != nil {
		return nil, nil, err
	}
	id := r.GetJobId()
	if id == "" {
		id = newJobID()
	}
	a := apply{control: c, target: parent.child(atJob, id), request: createRequest, create: true}
	return a.do(ctx, r.GetJob(), r.GetValidateOnly())
}

// UpdateJob replaces what is wanted of a job, all of it: a field that the
// request leaves out has its default again. A request that changes nothing
// keeps the generation, but has the image looked for anew. With allow_missing
// a job that does not exist is created.
func (c *Control) UpdateJob(ctx context.Context, r *runpb.UpdateJobRequest) (*runpb.Job, *longrunningpb.Operation, error) {
	n, err := c.parseOne("job.name", r.GetJob().GetName(), atJob)
	if err != nil {
		return nil, nil, err
	}
	a := apply{control: c, target: n, request: updateRequest, create: r.GetAllowMissing(), update: true, etag: r.GetJob().GetEtag()}
	return a.do(ctx, r.GetJob(), r.GetValidateOnly())
}

// apply is a request for a job to be as it says.
type apply struct {
	control *Control
	target  name
	request string
	// create and update say which of the two is allowed.
	create, update bool
	etag           string
}

// do carries the request out.
func (a apply) do(ctx context.Context, from *runpb.Job, validateOnly bool) (*runpb.Job, *longrunningpb.Operation, error) {
	c := a.control
	job := c.desired(from, a.target)
	if err := c.complete(job, a.request); err != nil {
		return nil, nil, err
	}
	if validateOnly {
		return a.preview(ctx, job)
	}
	uid, existed, err := a.uid()
	if err != nil {
		return nil, nil, err
	}
	op := c.begin(verbApply, a.target, uid)
	var next *runpb.Job
	err = c.update(ctx, func(tx *store.Tx) (err error) {
		old := getJob(tx, job.GetName())
		if next, err = a.next(ctx, old, job, uid); err != nil {
			return err
		}
		if existed != (old != nil) || next.GetUid() != uid {
			return status.Errorf(codes.Aborted, "Resource '%s' has just been replaced: try again.", a.target.id())
		}
		a.store(tx, next)
		op.put(tx)
		return nil
	}, func(err error) {
		op.settled(err)
		if c.stands(err, kindOperations, op.name) {
			c.projects.use(a.target.project(), c.ProjectNumber(a.target.project()))
			c.attention.call(job.GetName(), c.tendJob)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	shown, err := c.showJob(ctx, proto.CloneOf(next))
	if err != nil {
		return nil, nil, err
	}
	return shown, op.message(shown), nil
}

// preview is what would become of the job; nothing is stored.
func (a apply) preview(ctx context.Context, job *runpb.Job) (_ *runpb.Job, _ *longrunningpb.Operation, err error) {
	c := a.control
	err = c.view(func(tx *store.Tx) (err error) {
		job, err = a.next(ctx, getJob(tx, job.GetName()), job, newUID())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if job, err = c.showJob(ctx, job); err != nil {
		return nil, nil, err
	}
	return job, validated(a.target, job), nil
}

// validated is the operation of a request that was only to be checked: done,
// and stored nowhere.
func validated(n name, target resource) *longrunningpb.Operation {
	o := operation{Target: target.GetName(), Done: true, Resource: marshal(target)}
	return o.message(newOperationName(n), nil)
}

// uid is that of the job, a new one if there is none.
func (a apply) uid() (uid string, existed bool, err error) {
	err = a.control.view(func(tx *store.Tx) error {
		uid = getJob(tx, a.target.String()).GetUid()
		return nil
	})
	if uid == "" {
		return newUID(), false, err
	}
	return uid, true, err
}

// next is what the request makes of the job old, which is nil if there is none.
func (a apply) next(ctx context.Context, old, job *runpb.Job, uid string) (*runpb.Job, error) {
	switch {
	case old == nil && !a.create:
		return nil, notFound(a.target)
	case old != nil && !a.update:
		return nil, alreadyExists(a.target)
	}
	job = proto.CloneOf(job)
	job.LastModifier = caller(ctx)
	job.UpdateTime = after(old.GetUpdateTime())
	if old == nil {
		job.Uid, job.Generation, job.Creator, job.CreateTime = uid, 1, caller(ctx), job.UpdateTime
		return reconciling(job), nil
	}
	if err := checkEtag(old.GetName(), a.etag, old.GetUpdateTime().AsTime()); err != nil {
		return nil, err
	}
	if old.GetDeleteTime() != nil {
		return nil, beingDeleted(a.target)
	}
	job.Uid, job.Creator, job.CreateTime = old.GetUid(), old.GetCreator(), old.GetCreateTime()
	job.Generation, job.ObservedGeneration = old.GetGeneration(), old.GetObservedGeneration()
	if !sameDesire(old, job) {
		job.Generation++
	}
	return reconciling(job), nil
}

// reconciling is job, not ready yet.
func reconciling(job *runpb.Job) *runpb.Job {
	job.Reconciling = true
	job.TerminalCondition = ready(job, runpb.Condition_CONDITION_RECONCILING, "Importing the container image.")
	return job
}

// store writes the job; what its image was is forgotten with the reference.
func (a apply) store(tx *store.Tx, job *runpb.Job) {
	p := getPin(tx, job.GetName())
	if p.Reference != image(job) {
		p.Reference, p.Digest = image(job), ""
	}
	putJob(tx, job)
	putPin(tx, job, p)
}
