package contract

import (
	"context"
	"strings"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// checker asks the daemon what it would say, by Google's clients: nothing is made.
type checker struct {
	d        *rig.Daemon
	ctx      context.Context
	jobs     *run.JobsClient
	services *run.ServicesClient
}

func newChecker(d *rig.Daemon) *checker {
	d.Host.Helper()
	c := &checker{d: d, ctx: d.Host.Limit(rig.Patience())}
	c.jobs = d.Jobs(c.ctx)
	var err error
	if c.services, err = run.NewServicesRESTClient(c.ctx, d.REST()...); err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = c.services.Close() }) // it asked, and that is all
	return c
}

// job is what the daemon says of a job with a container like k.
func (c *checker) job(k *runpb.Container) error {
	t := &runpb.TaskTemplate{Containers: []*runpb.Container{k}}
	return c.task(t)
}

func (c *checker) task(t *runpb.TaskTemplate) error {
	t.Containers[0].Image = c.d.Host.Shell()
	_, err := c.jobs.CreateJob(c.ctx, &runpb.CreateJobRequest{
		Parent: here, JobId: "checked", ValidateOnly: true,
		Job: &runpb.Job{Template: &runpb.ExecutionTemplate{Template: t}},
	})
	return err
}

// service is what it says of a service with a container like k, and volumes.
func (c *checker) service(k *runpb.Container, volumes ...*runpb.Volume) error {
	k.Image = c.d.Host.Server()
	t := &runpb.RevisionTemplate{Containers: []*runpb.Container{k}, Volumes: volumes}
	if cpu := k.GetResources().GetLimits()["cpu"]; strings.HasPrefix(cpu, "0.") {
		t.MaxInstanceRequestConcurrency = 1 // what has less than one CPU takes no more
	}
	_, err := c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{
		Parent: here, ServiceId: "checked", ValidateOnly: true, Service: &runpb.Service{Template: t},
	})
	return err
}

// limited is a container of these limits.
func limited(cpu, memory string) *runpb.Container {
	limits := map[string]string{"cpu": cpu, "memory": memory}
	return &runpb.Container{Resources: &runpb.ResourceRequirements{Limits: limits}}
}

// refused fails the test unless err says no, with all of words.
func (c *checker) refused(what string, err error, words ...string) {
	c.d.Host.Helper()
	if err == nil {
		c.d.Host.Errorf("%s is taken", what)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			c.d.Host.Errorf("%s: lacks %q: %v", what, w, err)
		}
	}
}

// taken fails the test if err says anything.
func (c *checker) taken(what string, err error) {
	c.d.Host.Helper()
	if err != nil {
		c.d.Host.Errorf("%s: %v", what, err)
	}
}
