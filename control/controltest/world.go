// Package controltest gives tests a control plane without a host: a real store
// in a temporary directory and a real scheduler, over fake images, fake
// instances and a fake fleet. It needs no privilege.
package controltest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control"
	"runnel/scheduler"
	"runnel/store"
)

// Where the jobs of tests are, and who runs them.
const (
	Project        = "local"
	ProjectNumber  = "123456789012"
	Region         = "us-central1"
	ServiceAccount = "default@local.iam.gserviceaccount.com"
	Parent         = "projects/" + Project + "/locations/" + Region
)

// Options is how a world differs from the default one, field by field.
type Options struct {
	// Tasks is how many tasks of one CPU and 512 MiB run at once; 8 if 0.
	Tasks int
	// Control changes the control plane's configuration; nil leaves it.
	Control func(*control.Config)
	// Dir is an empty directory for what is stored; "" is one of its own.
	Dir string
	// State is one that State has returned, to go on from; nil begins anew.
	State []byte
}

// World is a control plane in its surroundings.
type World struct {
	// Control is another one after each Restart.
	Control *control.Control
	// Images, Instances and Fleet outlive it.
	Images    *Images
	Instances *Instances
	Fleet     *Fleet

	t         testing.TB
	options   Options
	path      string
	store     *store.Store
	scheduler *scheduler.Scheduler
}

// New starts a world that ends with the test.
func New(t testing.TB) *World { return Start(t, Options{}) }

// Start starts a world with options. It ends with the test.
func Start(t testing.TB, options Options) *World {
	t.Helper()
	if options.Tasks == 0 {
		options.Tasks = 8
	}
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	w := &World{
		t:         t,
		options:   options,
		path:      filepath.Join(options.Dir, "state.db"),
		Images:    newImages(),
		Instances: newInstances(t),
		Fleet:     newFleet(t),
	}
	if options.State != nil {
		if err := os.WriteFile(w.path, options.State, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.begin()
	t.Cleanup(w.end)
	return w
}

// Restart takes the control plane and the scheduler away, as the end of the
// daemon does: nobody tells the instances, which go on. Others take their place.
func (w *World) Restart() {
	w.t.Helper()
	w.Stop()
	w.begin()
}

// Stop takes the control plane away; Resume puts another one in its place.
// What happens to instances in between, nobody sees.
func (w *World) Stop() {
	w.t.Helper()
	w.end()
	w.Control = nil
}

// Resume follows a Stop.
func (w *World) Resume() {
	w.t.Helper()
	w.begin()
}

// Store is where everything is stored, until the next Stop or Restart.
func (w *World) Store() *store.Store { return w.store }

// State is what would be on the disk if the daemon were killed now.
func (w *World) State() (content []byte, err error) {
	// While a change runs nothing is written.
	err = w.store.Update(context.Background(), func(*store.Tx) (err error) {
		content, err = os.ReadFile(w.path)
		return err
	})
	return content, err
}

// begin makes a control plane from what is stored.
func (w *World) begin() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.path); err != nil {
		w.t.Fatalf("open store: %v", err)
	}
	journal := control.NewJournal(w.store)
	config := control.Config{
		Store:          w.store,
		Images:         w.Images,
		Fleet:          w.Fleet,
		Journal:        journal,
		Project:        Project,
		ProjectNumber:  ProjectNumber,
		Region:         Region,
		ServiceAccount: ServiceAccount,
	}
	if w.options.Control != nil {
		w.options.Control(&config)
	}
	n := w.options.Tasks
	w.scheduler = scheduler.New(scheduler.Config{
		Create:         w.Instances.create,
		Adopt:          w.Instances.adopt,
		Journal:        journal,
		Budget:         scheduler.NewBudget(scheduler.Resources{CPU: contract.MilliCPU(n) * 1000, Memory: contract.Bytes(n) * 512 * contract.MiB}),
		ProjectID:      Project,
		Region:         Region,
		ServiceAccount: ServiceAccount,
		ProjectNumber:  config.NumberOf,
	})
	config.Scheduler = w.scheduler
	w.Fleet.begin(journal)
	w.Control = control.New(config)
	if err := w.Control.Start(context.Background()); err != nil {
		w.t.Fatalf("start control: %v", err)
	}
	w.Fleet.sweep()
}

// end takes the control plane away.
func (w *World) end() {
	if w.Control == nil {
		return
	}
	if err := w.Control.Close(); err != nil {
		w.t.Errorf("close control: %v", err)
	}
	w.scheduler.Detach()
	w.scheduler.Wait()
	w.Instances.letGo()
	if err := w.store.Close(); err != nil {
		w.t.Errorf("close store: %v", err)
	}
}

// patience is how long a test waits for what should take an instant: the
// machine may be busy.
const patience = 30 * time.Second

// Job creates a job called id in Parent with n tasks, waits until it is ready
// and returns its full name.
func (w *World) Job(id string, n int) string {
	w.t.Helper()
	job, op, err := w.Control.CreateJob(w.t.Context(), &runpb.CreateJobRequest{Parent: Parent, JobId: id, Job: NewJob(n)})
	if err != nil {
		w.t.Fatalf("create job %s: %v", id, err)
	}
	w.WaitFor(op.GetName())
	return job.GetName()
}

// NewJob is what a client sends to create a job with n tasks, which are not
// retried.
func NewJob(n int) *runpb.Job {
	return &runpb.Job{Template: &runpb.ExecutionTemplate{
		TaskCount: int32(n),
		Template: &runpb.TaskTemplate{
			Containers: []*runpb.Container{{Image: Image}},
			Retries:    &runpb.TaskTemplate_MaxRetries{},
		},
	}}
}
