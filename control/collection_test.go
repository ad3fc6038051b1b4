package control_test

import (
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/store"
)

// The image of a job changes after an execution has been made and before it is
// stored: the old one may be gone by then, so the execution gets the new one.
func TestExecutionNeverGetsAnImageThatMayBeCollected(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RunningExecutions = 1 }})
	name := w.Job("hello", 1)
	created := getJob(t, w, name).GetCreateTime().AsTime()
	old, other := w.Images.Digest(controltest.Image), w.Images.Digest("registry.example/other:1")

	gate, entered, changed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		changed <- w.Store().Update(t.Context(), func(tx *store.Tx) error {
			close(entered)
			<-gate
			tx.Put("pins", name, created, []byte(strings.ReplaceAll(string(tx.Get("pins", name)), old, other)))
			return nil
		})
	}()
	<-entered
	type outcome struct {
		x   *runpb.Execution
		err error
	}
	ran := make(chan outcome, 2)
	for range 2 {
		go func() {
			x, _, err := w.Control.RunJob(t.Context(), &runpb.RunJobRequest{Name: name})
			ran <- outcome{x, err}
		}()
	}
	// One of the two is refused as soon as the other has been made.
	if first := <-ran; status.Code(first.err) != codes.ResourceExhausted {
		t.Fatalf("got %v", first)
	}
	close(gate)
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	last := <-ran
	if last.err != nil {
		t.Fatal(last.err)
	}
	if got := last.x.GetTemplate().GetContainers()[0].GetImage(); !strings.HasSuffix(got, "@"+other) {
		t.Errorf("the image is %s, want %s", got, other)
	}
	w.Ended(last.x.GetName())
}

// A file may hold another image than when the job was created.
func TestImageOfAFileIsKeptWhileAnExecutionNeedsIt(t *testing.T) {
	t.Parallel()
	const file = "oci-archive:/srv/hello.tar"
	w := controltest.New(t)
	spec := controltest.NewJob(1)
	spec.Template.Template.Containers[0].Image = file
	job, op := create(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	w.Images.Lose()
	w.Images.Push(file)
	w.Instances.Always(controltest.Script{Hold: true})
	x, _ := w.Run(job.GetName())
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	next := controltest.NewJob(1)
	next.Name = job.GetName()
	before := w.Images.Collections()
	if _, op, err := w.Control.UpdateJob(t.Context(), &runpb.UpdateJobRequest{Job: next}); err != nil {
		t.Fatal(err)
	} else {
		w.WaitFor(op.GetName())
	}
	w.Eventually("a collection", func() bool { return w.Images.Collections() > before })
	if !slices.Contains(w.Images.Stored(), w.Images.Digest(file)) {
		t.Error("the image of a running execution is gone")
	}
	w.Instances.Release()
	w.Ended(x.GetName())
}

// A registry that does not answer must not keep the disk from being freed.
func TestImagesAreRemovedWhileAnImportWaits(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	const silent = "registry.example/silent:1"
	defer w.Images.Hold(silent)()
	spec := controltest.NewJob(1)
	spec.Template.Template.Containers[0].Image = silent
	create(t, w, "silent", spec)
	_, op, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("the image to go", func() bool { return len(w.Images.Stored()) == 0 })
}

// An image that is imported stays until it is stored who uses it.
func TestImportedImageStaysUntilItsUseIsKnown(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Eventually("the collection of the start", func() bool { return w.Images.Collections() > 0 })
	release := w.Images.Hold(controltest.Image)
	_, op := create(t, w, "hello", controltest.NewJob(1))

	// The import is over, and what it leads to waits for another change.
	gate, entered, held := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		held <- w.Store().Update(t.Context(), func(*store.Tx) error {
			close(entered)
			<-gate
			return nil
		})
	}()
	<-entered
	release()
	here := func() bool { return slices.Contains(w.Images.Stored(), w.Images.Digest(controltest.Image)) }
	w.Eventually("the import", here)
	if err := w.Images.Collect(t.Context(), func() ([]string, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	if !here() {
		t.Error("the image is gone before it is used")
	}
	close(gate)
	if err := <-held; err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("a collection", func() bool { return w.Images.Collections() > 2 })
	if !here() {
		t.Error("the image is gone once it is used")
	}
}
