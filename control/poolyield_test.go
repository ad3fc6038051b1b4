package control_test

import (
	"slices"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control/controltest"
	"runnel/scheduler/serving"
)

// While a revision of a worker pool is being deployed, those that go when it is
// ready are told how many of their instances may make way for it; afterwards, and
// if it fails, none has to.
func TestInstancesThatAreToGoMayMakeWay(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(10)
	p, _ := createPool(t, w, "work", spec)
	first := p.GetLatestReadyRevision()
	p.Template.Containers[0].Args = []string{"second"}
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 30}, {Percent: 70}}
	p, _ = updatePool(t, w, p)
	second := p.GetLatestReadyRevision()
	has := func(when, revision string, want serving.Scale) {
		t.Helper()
		w.Eventually("the scale of "+shortName(revision)+" "+when, func() bool {
			got, _ := w.Fleet.Scale(revision)
			return got == want
		})
	}
	has("at rest", first, serving.Scale{Manual: 3, Max: 3})
	has("at rest", second, serving.Scale{Manual: 7, Max: 7})

	hold := func(hold bool) {
		w.Fleet.Play(func(r *runpb.Revision) controltest.Trial {
			if !slices.Contains(r.GetContainers()[0].GetArgs(), "third") {
				return controltest.Trial{}
			}
			return controltest.Trial{Hold: hold, Err: &serving.StartError{Message: "It breaks."}}
		})
	}
	hold(true)
	p.Template.Containers[0].Args = []string{"third"}
	op := beginPoolUpdate(t, w, p)
	third := getPool(t, w, p.GetName()).GetLatestCreatedRevision()
	has("during the deployment", first, serving.Scale{Manual: 3, Max: 3})
	has("during the deployment", second, serving.Scale{Manual: 7, Max: 7, Yield: 7})
	has("during the deployment", third, serving.Scale{Manual: 7, Max: 7})
	hold(false) // whether the trial has begun or not: it ends
	w.Fleet.Release()
	if done := w.WaitFor(op.GetName()); done.GetError() == nil {
		t.Errorf("%v", done)
	}
	has("afterwards", first, serving.Scale{Manual: 3, Max: 3})
	has("afterwards", second, serving.Scale{Manual: 7, Max: 7})
}
