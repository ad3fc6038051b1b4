package control_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/scheduler/serving"
)

// A daemon that is killed between any two commits goes on with every change of a
// service that was under way.
func TestCrashInTheMiddleOfDeployments(t *testing.T) {
	t.Parallel()
	settlesFrom(t, statesWhile(t, everyServiceVerb), unsettledService)
}

// breaks makes revisions fail whose first container has an argument "break".
func breaks(r *runpb.Revision) controltest.Trial {
	if strings.Join(r.GetContainers()[0].GetArgs(), " ") == "break" {
		return controltest.Trial{Err: &serving.StartError{Reason: runpb.Condition_HEALTH_CHECK_CONTAINER_ERROR, Message: "It breaks."}}
	}
	return controltest.Trial{}
}

// everyServiceVerb changes services and revisions in each way there is.
func everyServiceVerb(t *testing.T, w *controltest.World) {
	t.Helper()
	w.Fleet.Play(breaks)
	spec := controltest.NewService()
	spec.Scaling = &runpb.ServiceScaling{MinInstanceCount: 2}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	spec.Name = s.GetName()
	spec.Template.Containers[0].Args = []string{"second"}
	spec, _ = updateService(t, w, spec)
	first := revisions(t, w, s.GetName())[1]
	spec.Template.Containers[0].Args = []string{"break"}
	spec, _ = updateService(t, w, spec)
	spec.Traffic = []*runpb.TrafficTarget{
		{Revision: shortName(first), Percent: 100},
		{Revision: shortName(spec.GetLatestReadyRevision()), Tag: "next"},
	}
	spec, _ = updateService(t, w, spec, "traffic")
	if _, err := w.Control.SetPolicy(t.Context(), s.GetName(), public(), nil); err != nil {
		t.Fatal(err)
	}
	w.Fleet.Churn(first, 3)
	spec.Template.Containers[0].Args = []string{"fourth"}
	spec.Traffic = nil
	updateService(t, w, spec)
	_, op, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	_, op, err = w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: s.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
}

// revisions are the full names of the revisions of a service, the newest first.
func revisions(t *testing.T, w *controltest.World, service string) (names []string) {
	t.Helper()
	all, _, err := w.Control.Revisions(t.Context(), control.Query[*runpb.Revision]{Parent: service})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		names = append(names, r.GetName())
	}
	return names
}

// shortName is the last part of a full name.
func shortName(full string) string { return full[strings.LastIndex(full, "/")+1:] }

// unsettledService says what is still under way, or not as it should be.
func unsettledService(t *testing.T, w *controltest.World) string {
	t.Helper()
	w.Fleet.Play(breaks)
	if n := len(listOperations(t, w, "done:false", 100)); n > 0 {
		return fmt.Sprint(n, " operations")
	}
	services, _, err := w.Control.Services(t.Context(), control.Query[*runpb.Service]{Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	all := revisions(t, w, parent+"/services/-")
	if len(services) == 0 {
		if n := len(all) + len(w.Fleet.Revisions()); n > 0 {
			return fmt.Sprint(n, " revisions of no service")
		}
		if split := w.Fleet.Split(parent + "/services/hello"); split != "-" {
			return "a service that is gone is served: " + split
		}
		return ""
	}
	for _, r := range all {
		if why := unsettledRevision(t, w, r); why != "" {
			return why
		}
	}
	return unsettledTraffic(w, services[0])
}

// unsettledRevision says what is not as it should be with a revision.
func unsettledRevision(t *testing.T, w *controltest.World, name string) string {
	t.Helper()
	r, err := w.Control.Revision(t.Context(), name)
	if err != nil {
		return err.Error()
	}
	_, kept := w.Fleet.Scale(name)
	ready := condition(r.GetConditions(), "Ready").GetState() == runpb.Condition_CONDITION_SUCCEEDED
	if r.GetReconciling() || r.GetDeleteTime() != nil || kept != ready {
		return fmt.Sprintf("revision %v, kept %v", r, kept)
	}
	instances, err := w.Control.ServiceInstances(t.Context(), name)
	if err != nil {
		return err.Error()
	}
	live := 0
	for _, x := range instances {
		if x.Live {
			live++
		}
	}
	if n := len(w.Fleet.Living(name)); n != live {
		return fmt.Sprintf("%s has %d instances, and %d are known", name, n, live)
	}
	return ""
}

// unsettledTraffic says what is not as it should be with a service.
func unsettledTraffic(w *controltest.World, s *runpb.Service) string {
	var split []string
	for _, t := range s.GetTrafficStatuses() {
		id := t.GetRevision()
		if t.GetTag() != "" {
			id += "#" + t.GetTag()
		}
		split = append(split, fmt.Sprintf("%s=%d", id, t.GetPercent()))
	}
	served, _ := w.Fleet.Service(s.GetName())
	switch {
	case s.GetReconciling() || s.GetDeleteTime() != nil || s.GetObservedGeneration() != s.GetGeneration():
		return fmt.Sprint("service ", s)
	case len(split) == 0:
		return "nothing is served"
	case w.Fleet.Split(s.GetName()) != strings.Join(split, " "):
		return fmt.Sprintf("served is %s, told is %v", w.Fleet.Split(s.GetName()), split)
	}
	for _, t := range served.Traffic {
		if scale, _ := w.Fleet.Scale(t.Revision); t.Percent == 100 && scale.Min != 2 {
			return fmt.Sprintf("%s has the scale %v", t.Revision, scale)
		}
	}
	return ""
}

// condition is the condition of a type.
func condition(all []*runpb.Condition, kind string) *runpb.Condition {
	for _, c := range all {
		if c.GetType() == kind {
			return c
		}
	}
	return nil
}

// The daemon may end at any moment of a deployment: the next one goes on, and
// knows the instances that live.
func TestServiceRestartsAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	spec := controltest.NewService()
	spec.Scaling = &runpb.ServiceScaling{MinInstanceCount: 2}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	for i := range 12 {
		change := controltest.NewService()
		change.Name, change.Scaling = s.GetName(), spec.GetScaling()
		change.Template.Containers[0].Args = []string{fmt.Sprint(i)}
		if i%4 == 3 {
			change.Template.Containers[0].Args = []string{"break"}
		}
		op := beginUpdate(t, w, change)
		if i%2 == 0 {
			w.Restart()
		} else {
			w.WaitFor(op.GetName())
			w.Restart()
		}
	}
	w.Eventually("everything to be settled", func() bool { return unsettledService(t, w) == "" })
}
