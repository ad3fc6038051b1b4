package control_test

import (
	"fmt"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
)

// A daemon that is killed between any two commits goes on with every change of a
// worker pool that was under way.
func TestCrashInTheMiddleOfChangesOfAWorkerPool(t *testing.T) {
	t.Parallel()
	settlesFrom(t, statesWhile(t, everyPoolVerb), unsettledPool)
}

// everyPoolVerb changes worker pools and their revisions in each way there is.
func everyPoolVerb(t *testing.T, w *controltest.World) {
	t.Helper()
	w.Fleet.Play(breaks)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(2)
	p, _ := createPool(t, w, "work", spec)
	first := p.GetLatestReadyRevision()
	p.Template.Containers[0].Args = []string{"second"}
	p, _ = updatePool(t, w, p)
	p.Template.Containers[0].Args = []string{"break"}
	p, _ = updatePool(t, w, p)
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 50}, {Revision: shortName(p.GetLatestReadyRevision()), Percent: 50}}
	p, _ = updatePool(t, w, p, "instanceSplits")
	p.Template.Containers[0].Args = []string{"fourth"} // which has no instances yet
	p, _ = updatePool(t, w, p)
	p.InstanceSplits = nil
	p, _ = updatePool(t, w, p)
	for _, n := range []int32{0, 3} {
		p, _ = updatePool(t, w, &runpb.WorkerPool{Name: p.GetName(), Scaling: instances(n)}, "scaling")
	}
	_, op, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	_, op, err = w.Control.DeleteWorkerPool(t.Context(), &runpb.DeleteWorkerPoolRequest{Name: p.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
}

// unsettledPool says what is still under way, or not as it should be.
func unsettledPool(t *testing.T, w *controltest.World) string {
	t.Helper()
	w.Fleet.Play(breaks)
	if n := len(listOperations(t, w, "done:false", 100)); n > 0 {
		return fmt.Sprint(n, " operations")
	}
	pools, _, err := w.Control.WorkerPools(t.Context(), control.Query[*runpb.WorkerPool]{Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	all := revisions(t, w, parent+"/workerPools/-")
	if len(pools) == 0 {
		if n := len(all) + len(w.Fleet.Revisions()); n > 0 {
			return fmt.Sprint(n, " revisions of no worker pool")
		}
		return ""
	}
	p := pools[0]
	if p.GetReconciling() || p.GetDeleteTime() != nil || p.GetObservedGeneration() != p.GetGeneration() {
		return fmt.Sprint("worker pool ", p)
	}
	total := 0
	for _, r := range all {
		if why := unsettledRevision(t, w, r); why != "" {
			return why
		}
		scale, _ := w.Fleet.Scale(r)
		if total += living(w, r); scale.Manual != living(w, r) || scale.Max != scale.Manual {
			return fmt.Sprintf("%s has the scale %v and %d instances", r, scale, living(w, r))
		}
	}
	if n := int(p.GetScaling().GetManualInstanceCount()); total != n {
		return fmt.Sprintf("%d instances, want %d", total, n)
	}
	return ""
}

// The next daemon finds every instance where it was.
func TestAWorkerPoolKeepsItsInstancesAcrossRestarts(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(3)
	p, _ := createPool(t, w, "work", spec)
	before := w.Fleet.Living(p.GetLatestReadyRevision())
	for range 3 {
		w.Restart()
		w.Eventually("everything to be settled", func() bool { return unsettledPool(t, w) == "" })
		if after := w.Fleet.Living(p.GetLatestReadyRevision()); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%v, and before %v", after, before)
		}
	}
	if got := getPool(t, w, p.GetName()); got.GetEtag() != p.GetEtag() {
		t.Errorf("it has changed: %v", got)
	}
}

// A revision whose images got lost comes back with its part of the instances.
func TestAWorkerPoolWhoseImagesAreLostComesBack(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(2)
	p, _ := createPool(t, w, "work", spec)
	digests := w.Fleet.Images(p.GetLatestReadyRevision())
	w.Images.Push(controltest.Image)
	w.Stop()
	w.Images.Lose()
	w.Resume()
	w.Eventually("the instances to be there again", func() bool { return living(w, p.GetLatestReadyRevision()) == 2 })
	if got := w.Fleet.Images(p.GetLatestReadyRevision()); len(got) != 1 || got[0] != digests[0] {
		t.Errorf("it has %v, want the digest of before: %v", got, digests)
	}
}
