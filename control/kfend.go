package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/store"
)

// TerminateTask has a task of an app end as CancelExecution does, and its logs
// removed: those of a task that ends by itself, or is cancelled, stay. The
// operation is done when both have happened.
func (c *Control) TerminateTask(ctx context.Context, full string) (*runpb.Execution, *longrunningpb.Operation, error) {
	change := executionChange{control: c, verb: verbCancel}
	return change.do(ctx, full, func(x *runpb.Execution, of *note) error {
		switch {
		case x.GetLabels()[contract.KfAppLabel] == "":
			return wrongState("Execution '%s' is not a task of an app.", split(x.GetName()).id())
		case ended(x):
			return wrongState("Can't terminate completed Task '%s'", split(x.GetName()).id())
		case of.Terminated:
			return wrongState("Can't terminate terminated Task '%s'", split(x.GetName()).id())
		case !of.Deleted.IsZero():
			return beingDeleted(split(x.GetName()))
		}
		if of.Cancelled.IsZero() {
			of.Cancelled = now()
		}
		of.Terminated = true
		return nil
	})
}

// surplus are the executions that are not to be kept any more now that x has
// ended: beyond what is kept of its job or, if it is a task, of its app.
func (c *Control) surplus(x *runpb.Execution) ([]string, error) {
	job := split(x.GetName()).up(atJob)
	app := x.GetLabels()[contract.KfAppLabel]
	if app == "" {
		return c.census.surplus(c.config.KeepExecutions, job.String()), nil
	}
	jobs, err := c.jobsOfApp(job.sibling(app))
	return c.census.surplus(c.config.KeepTasks, jobs...), err
}

// jobsOfApp are the full names of all jobs whose executions are tasks of an app.
func (c *Control) jobsOfApp(app name) (jobs []string, err error) {
	err = c.view(func(tx *store.Tx) error {
		jobs = nil
		for e := range tx.Under(kindJobs, app.sibling("").String()) {
			if getJob(tx, e.Name).GetTemplate().GetLabels()[contract.KfAppLabel] == app.id() {
				jobs = append(jobs, e.Name)
			}
		}
		return nil
	})
	return jobs, err
}
