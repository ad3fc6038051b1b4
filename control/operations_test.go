package control_test

import (
	"testing"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
)

// listOperations reads all pages.
func listOperations(t *testing.T, w *controltest.World, filter string, size int) (all []*longrunningpb.Operation) {
	t.Helper()
	for token := ""; ; {
		page, next, err := w.Control.Operations(t.Context(), parent, filter, size, token)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > size {
			t.Fatalf("%d operations on a page of %d", len(page), size)
		}
		if all = append(all, page...); next == "" {
			return all
		}
		token = next
	}
}

func TestOperationsAreListed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	for range 4 {
		w.Run(name)
	}
	for filter, want := range map[string]int{"": 5, "done:true": 1, "done:false": 4} {
		if got := listOperations(t, w, filter, 2); len(got) != want {
			t.Errorf("%q: %d operations, want %d", filter, len(got), want)
		}
	}
	w.Restart()
	if got := listOperations(t, w, "done:false", 100); len(got) != 4 {
		t.Errorf("after a restart: %d", len(got))
	}
	_, _, err := w.Control.Operations(t.Context(), parent, "name:x", 0, "")
	violates(t, err, "filter")
	_, next, err := w.Control.Operations(t.Context(), parent, "", 2, "")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = w.Control.Operations(t.Context(), parent, "done:true", 2, next)
	violates(t, err, "pageToken")
}

func TestWaitOperationReturnsWhenTheTimeHasPassed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	_, op := w.Run(name)
	got, err := w.Control.WaitOperation(t.Context(), op.GetName(), 10*time.Millisecond)
	if err != nil || got.GetDone() || got.GetMetadata() == nil {
		t.Errorf("got %v, %v", got, err)
	}
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	w.Instances.Release()
	if got, err = w.Control.WaitOperation(t.Context(), op.GetName(), 0); err != nil || !got.GetDone() {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDeleteOperation(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	x, op := w.Run(name)
	if err := w.Control.DeleteOperation(t.Context(), op.GetName()); err != nil {
		t.Fatal(err)
	}
	_, err := w.Control.Operation(t.Context(), op.GetName())
	fails(t, err, codes.NotFound, "")
	fails(t, w.Control.DeleteOperation(t.Context(), op.GetName()), codes.NotFound, "")
	_, err = w.Control.Operation(t.Context(), name)
	violates(t, err, "name")
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	w.Instances.Release()
	w.Ended(x.GetName())
}

func TestOperationsAreNotKeptForEver(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.KeepOperations = 3 }})
	name := w.Job("hello", 1)
	for range 6 {
		_, op := w.Run(name)
		w.WaitFor(op.GetName())
	}
	w.Eventually("three operations", func() bool { return len(listOperations(t, w, "", 100)) == 3 })
}

// Which operations are too many, or too old, is also found out after a restart,
// and of one that was not done then.
func TestOperationsAreNotKeptForEverAcrossRestarts(t *testing.T) {
	t.Parallel()
	keep := 100
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.KeepOperations = keep }})
	name := w.Job("hello", 1)
	w.Instances.Always(controltest.Script{Hold: true})
	_, first := w.Run(name)
	w.Eventually("the instance", func() bool { return len(w.Instances.Running()) == 1 })
	w.Instances.Always(controltest.Script{})
	for range 6 {
		_, op := w.Run(name)
		w.WaitFor(op.GetName())
	}
	keep = 3
	w.Restart()
	w.Eventually("three operations", func() bool { return len(listOperations(t, w, "", 100)) == 3 })
	if got, err := w.Control.Operation(t.Context(), first.GetName()); err != nil || got.GetDone() {
		t.Errorf("the one that is not done: %v, %v", got, err)
	}
	w.Instances.Release()
	w.WaitFor(first.GetName())
	_, op := w.Run(name)
	w.WaitFor(op.GetName())
	w.Eventually("three operations", func() bool { return len(listOperations(t, w, "", 100)) == 3 })
	_, err := w.Control.Operation(t.Context(), first.GetName())
	fails(t, err, codes.NotFound, "")
}
