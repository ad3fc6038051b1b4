package kf

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// jobs builds "runnel kf jobs".
func (c *commands) jobs() *cobra.Command {
	return c.jobList(&cobra.Command{
		Use:   "jobs",
		Short: "List the jobs of apps",
		Long: `List the jobs of all apps. One without a schedule is suspended, and shows one that
never comes: the 30th of February.`,
		Example: `  runnel kf jobs
  runnel kf jobs -o go-template='{{range .items}}{{.metadata.name}} {{.spec.schedule}}{{"\n"}}{{end}}'`,
	}, "Jobs", func(*schedulerpb.Job) bool { return true })
}

// jobSchedules builds "runnel kf job-schedules".
func (c *commands) jobSchedules() *cobra.Command {
	return c.jobList(&cobra.Command{
		Use:     "job-schedules",
		Short:   "List the jobs that run by a schedule",
		Example: `  runnel kf job-schedules`,
	}, "job schedules", func(s *schedulerpb.Job) bool { return !isSuspended(s) })
}

// jobList completes cmd, which lists the Kf jobs with schedules that ok is true
// of.
func (c *commands) jobList(cmd *cobra.Command, what string, ok func(*schedulerpb.Job) bool) *cobra.Command {
	p := &printer{commands: c}
	cmd.Args = cli.NoArgs
	p.register(cmd)
	cmd.RunE = c.Checked(p.check, func(ctx context.Context, r *verb.Remote, _ []string) error {
		jobs, err := listJobs(ctx, r, func(job *runpb.Job) bool { return kfJobOf(job) != "" })
		if err != nil {
			return err
		}
		schedules, err := listSchedules(ctx, r)
		if err != nil {
			return err
		}
		var cells [][]string
		var objects []object
		for _, job := range jobs {
			s := schedules[scheduleName(job)]
			if s == nil { // somebody has deleted it by other means
				s = &schedulerpb.Job{Schedule: contract.KfPlaceholderCron}
			}
			if ok(s) {
				cells = append(cells, jobCells(job, s))
				objects = append(objects, jobObject(job, s))
			}
		}
		return p.list(what+" in Space: "+r.Project, objects,
			[]string{"Name", "Schedule", "Suspend", "LastSchedule", "ConcurrencyPolicy", "Age", "Ready", "Reason"}, cells)
	})
	return cmd
}

// listSchedules are the schedules of the place, by their full names.
func listSchedules(ctx context.Context, r *verb.Remote) (map[string]*schedulerpb.Job, error) {
	all, err := verb.Every(ctx, func(ctx context.Context, token string) ([]*schedulerpb.Job, string, error) {
		page, err := r.Client.Schedules.ListJobs(ctx, &schedulerpb.ListJobsRequest{Parent: r.Location(), PageToken: token})
		return page.GetJobs(), page.GetNextPageToken(), err
	})
	byName := map[string]*schedulerpb.Job{}
	for _, s := range all {
		byName[s.GetName()] = s
	}
	return byName, err
}

// jobCells are the columns of a Kf job.
func jobCells(job *runpb.Job, s *schedulerpb.Job) []string {
	suspend := none
	if isSuspended(s) {
		suspend = "true"
	}
	ready := readiness(job)
	return []string{
		kfJobOf(job), s.GetSchedule(), suspend, orNone(age(s.GetLastAttemptTime())), policyName(s),
		age(job.GetCreateTime()), ready.Status, orNone(ready.Reason),
	}
}

// scheduleSpec is what a Kf job is to do, and when.
type scheduleSpec struct {
	Schedule          string   `json:"schedule"`
	Suspend           bool     `json:"suspend,omitempty"`
	ConcurrencyPolicy string   `json:"concurrencyPolicy"`
	TaskTemplate      taskSpec `json:"taskTemplate"`
}

// jobObject is a Kf job.
func jobObject(job *runpb.Job, s *schedulerpb.Job) object {
	o := newObject("TaskSchedule", job.GetName(), job.GetUid(), job.GetCreateTime(), map[string]string{"app.kubernetes.io/name": appOf(job)})
	limits := container(job).GetResources().GetLimits()
	o.Spec = scheduleSpec{
		Schedule: s.GetSchedule(), Suspend: isSuspended(s), ConcurrencyPolicy: policyName(s),
		TaskTemplate: taskSpec{
			AppRef: appRef{appOf(job)}, CPU: limits["cpu"], Memory: limits["memory"],
			Disk: diskOf(job.GetTemplate().GetAnnotations()), Command: job.GetTemplate().GetAnnotations()[contract.KfCommand],
		},
	}
	o.Status = jobStatus{LastScheduleTime: moment(s.GetLastAttemptTime()), Conditions: []condition{readiness(job)}}
	return o
}
