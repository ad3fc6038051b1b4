package control_test

import (
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control/controltest"
)

const failed = runpb.Condition_CONDITION_FAILED

// contract: WP-4
func TestAWorkerPoolsRevisionThatFailsLeavesTheOldOne(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	p := getPool(t, w, w.WorkerPool("work"))
	first := p.GetLatestReadyRevision()
	p.Template.Containers[0].Args = []string{"break"}
	p, op := updatePool(t, w, p)
	want := "Revision '" + shortName(p.GetLatestCreatedRevision()) + "' is not ready and cannot have instances. It breaks."
	if op.GetError().GetMessage() != want || codes.Code(op.GetError().GetCode()) != codes.FailedPrecondition {
		t.Errorf("operation: %v", op.GetError())
	}
	if c := p.GetTerminalCondition(); c.GetState() != failed || c.GetMessage() != want || c.GetRevisionReason() != runpb.Condition_HEALTH_CHECK_CONTAINER_ERROR {
		t.Errorf("condition: %v", c)
	}
	if c := condition(p.GetConditions(), "ContainerHealthy"); c.GetState() != failed || c.GetMessage() != "It breaks." {
		t.Errorf("conditions: %v", p.GetConditions())
	}
	if p.GetLatestReadyRevision() != first || living(w, first) != 1 || p.GetInstanceSplitStatuses()[0].GetRevision() != shortName(first) {
		t.Errorf("the old one: %v", p)
	}
	w.Eventually("the fleet to let go of it", func() bool { return !slices.Contains(w.Fleet.Revisions(), p.GetLatestCreatedRevision()) })
	p.Template.Containers[0].Args = nil
	if p, op = updatePool(t, w, p); op.GetError() != nil || p.GetLatestReadyRevision() != p.GetLatestCreatedRevision() {
		t.Errorf("mended: %v", p)
	}
}

// Those that gain instances have them all before the others lose the first.
func TestInstancesAreSharedAnewBeforeTheOldOnesGo(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(10)
	p, _ := createPool(t, w, "work", spec)
	first := p.GetLatestReadyRevision()
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 100}}
	p.Template.Containers[0].Args = []string{"second"}
	p, _ = updatePool(t, w, p)
	second := p.GetLatestReadyRevision()
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{HoldMinimum: true} })
	p.InstanceSplits = []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 30}, {Percent: 70}}
	op := beginPoolUpdate(t, w, p, "instanceSplits")
	w.Eventually("the instances to be waited for", func() bool {
		return slices.Contains(w.Fleet.Events(), "warm "+shortName(second))
	})
	if living(w, first) != 10 || living(w, second) != 7 {
		t.Errorf("%d and %d instances", living(w, first), living(w, second))
	}
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	w.Fleet.Release()
	if done := w.WaitFor(op.GetName()); done.GetError() != nil || living(w, first) != 3 || living(w, second) != 7 {
		t.Errorf("%v: %d and %d instances", done, living(w, first), living(w, second))
	}
}

// The instances of a new revision are all there before the first of the old ones
// goes.
func TestInstancesAreThereBeforeTheOldOnesGo(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(3)
	p, _ := createPool(t, w, "work", spec)
	first := p.GetLatestReadyRevision()
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{HoldMinimum: true} })
	p.Template.Containers[0].Args = []string{"second"}
	op := beginPoolUpdate(t, w, p)
	second := getPool(t, w, p.GetName()).GetLatestCreatedRevision()
	w.Eventually("the minimum to be waited for", func() bool {
		return slices.Contains(w.Fleet.Events(), "warm "+shortName(second))
	})
	if living(w, first) != 3 || living(w, second) != 3 {
		t.Errorf("%d and %d instances", living(w, first), living(w, second))
	}
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	w.Fleet.Release()
	if done := w.WaitFor(op.GetName()); done.GetError() != nil || living(w, first) != 0 || living(w, second) != 3 {
		t.Errorf("%v: %d and %d instances", done, living(w, first), living(w, second))
	}
}

// contract: WP-2 WP-4 WP-7
func TestTheFirstInstancesShowWhetherARevisionCanBe(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	first := getPool(t, w, w.WorkerPool("work")).GetLatestReadyRevision()
	pin := []*runpb.InstanceSplit{{Revision: shortName(first), Percent: 100}}
	for _, row := range []struct {
		arg string
		ok  bool
	}{{"break", false}, {"fine", true}} {
		p := controltest.NewWorkerPool()
		p.Name, p.InstanceSplits = parent+"/workerPools/work", pin
		p.Template.Containers[0].Args = []string{row.arg}
		p, op := updatePool(t, w, p)
		if op.GetError() != nil || p.GetLatestReadyRevision() == first {
			t.Fatalf("%s, without instances: %v", row.arg, p)
		}
		latest := getRevision(t, w, p.GetLatestReadyRevision())
		if c := condition(latest.GetConditions(), "ContainerHealthy"); c.GetRevisionReason() != runpb.Condition_HEALTH_CHECK_SKIPPED {
			t.Errorf("%s, without instances: %v", row.arg, c)
		}
		p.InstanceSplits = nil
		p, op = updatePool(t, w, p)
		latest = getRevision(t, w, latest.GetName())
		ready, healthy := condition(latest.GetConditions(), "Ready"), condition(latest.GetConditions(), "ContainerHealthy")
		switch {
		case row.ok && (op.GetError() != nil || healthy.GetState() != succeeded || healthy.GetReasons() != nil || living(w, first) != 0 || living(w, latest.GetName()) != 1):
			t.Errorf("%s: %v, %v", row.arg, op, latest)
		case !row.ok && (!strings.Contains(op.GetError().GetMessage(), "It breaks.") || ready.GetState() != failed || healthy.GetState() != failed || living(w, first) != 1 || p.GetLatestReadyRevision() != first):
			t.Errorf("%s: %v, %v", row.arg, op, latest)
		}
	}
}

// contract: WP-2
func TestScalingFromNothingTellsWhetherItSucceeded(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	spec := controltest.NewWorkerPool()
	spec.Scaling = instances(0)
	spec.Template.Containers[0].Args = []string{"break"}
	p, op := createPool(t, w, "work", spec)
	if op.GetError() != nil {
		t.Fatal(op)
	}
	p, op = updatePool(t, w, &runpb.WorkerPool{Name: p.GetName(), Scaling: instances(2)}, "scaling")
	if !strings.Contains(op.GetError().GetMessage(), "It breaks.") || p.GetTerminalCondition().GetState() != failed {
		t.Errorf("%v: %v", op, p)
	}
	p, op = updatePool(t, w, &runpb.WorkerPool{Name: p.GetName(), Template: controltest.NewWorkerPool().GetTemplate()}, "template")
	if op.GetError() != nil || living(w, p.GetLatestReadyRevision()) != 2 {
		t.Errorf("%v: %v", op, p)
	}
}

// contract: WP-2
func TestADeploymentIsStoppedByTakingItsInstances(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
	p, op, err := w.Control.CreateWorkerPool(t.Context(), &runpb.CreateWorkerPoolRequest{Parent: parent, WorkerPoolId: "work", WorkerPool: controltest.NewWorkerPool()})
	if err != nil {
		t.Fatal(err)
	}
	w.Eventually("the revision to be tried", func() bool {
		return slices.Contains(w.Fleet.Events(), "check "+shortName(p.GetLatestCreatedRevision()))
	})
	p, stopped := updatePool(t, w, &runpb.WorkerPool{Name: p.GetName(), Scaling: instances(0)}, "scaling")
	if w.WaitFor(op.GetName()); stopped.GetError() != nil || p.GetTerminalCondition().GetState() != succeeded || living(w, p.GetLatestReadyRevision()) != 0 {
		t.Errorf("%v: %v", stopped, p)
	}
}
