package control_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/scheduler/serving"
	"runnel/store"
)

// has reports whether the logs of an instance have been removed.
func (r *removedLogs) has(id string) bool { return slices.Contains(r.sorted(), id) }

func TestDeletedServiceLeavesNothing(t *testing.T) {
	t.Parallel()
	var logs removedLogs
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RemoveLogs = logs.remove }})
	spec := controltest.NewService()
	spec.Template.Containers = []*runpb.Container{
		{Image: controltest.Image, Name: "main", Ports: []*runpb.ContainerPort{{}}},
		{Image: controltest.Image},
	}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	name := s.GetName()
	if _, err := w.Control.SetPolicy(t.Context(), name, public(), nil); err != nil {
		t.Fatal(err)
	}
	instances, err := w.Control.ServiceInstances(t.Context(), name)
	if err != nil || len(instances) != 1 || strings.Join(instances[0].Containers, " ") != "main hello-2" || !instances[0].Live {
		t.Fatalf("instances: %v, %v", instances, err)
	}
	got, op, err := w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: name})
	if err != nil || got.GetDeleteTime() == nil {
		t.Fatalf("delete: %v, %v", got, err)
	}
	if done := w.WaitFor(op.GetName()); response[*runpb.Service](t, done).GetUid() != s.GetUid() {
		t.Errorf("operation: %v", done)
	}
	_, err = w.Control.Service(t.Context(), name)
	fails(t, err, codes.NotFound, "'hello'")
	if _, served := w.Fleet.Service(name); served || len(w.Fleet.Revisions()) > 0 || len(revisions(t, w, parent+"/services/-")) > 0 {
		t.Errorf("left: %v %v", w.Fleet.Revisions(), w.Fleet.Split(name))
	}
	for _, id := range []string{instances[0].ID, instances[0].ID + "-1"} {
		if !logs.has(id) {
			t.Errorf("the logs of %s are left", id)
		}
	}
	w.Eventually("the images to be collected", func() bool { return len(w.Images.Stored()) == 0 })
	w.Service("hello")
	if p, err := w.Control.Policy(t.Context(), name); err != nil || len(p.GetBindings()) != 0 {
		t.Errorf("a new service has the old one's policy: %v, %v", p, err)
	}
}

func TestServiceThatIsDeletedWhileItIsDeployed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
	s, create := createService(t, w, "hello", controltest.NewService())
	w.Eventually("the check", func() bool {
		return slices.ContainsFunc(w.Fleet.Events(), func(e string) bool { return strings.HasPrefix(e, "check") })
	})
	_, op, err := w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: s.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	if done := w.WaitFor(create.GetName()); codes.Code(done.GetError().GetCode()) != codes.Aborted {
		t.Errorf("the creation: %v", done)
	}
}

// contract: REV-6
func TestOnlyRetiredRevisionsCanBeDeleted(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	first := getService(t, w, name).GetLatestReadyRevision()
	second := redeploy(t, w, name, "2")
	share(t, w, name, to("", 100, ""), to(shortName(first), 0, "old"))
	for revision, text := range map[string]string{first: "serving traffic", second: "latest"} {
		_, _, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: revision})
		fails(t, err, codes.FailedPrecondition, text)
	}
	share(t, w, name, to("", 100, ""))
	got, op, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first, ValidateOnly: true})
	if err != nil || !op.GetDone() || getRevision(t, w, first).GetDeleteTime() != nil {
		t.Errorf("validated: %v, %v, %v", got, op, err)
	}
	if _, op, err = w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first}); err != nil {
		t.Fatal(err)
	}
	if done := w.WaitFor(op.GetName()); shortName(response[*runpb.Revision](t, done).GetName()) != shortName(first) {
		t.Errorf("operation: %v", done)
	}
	_, err = w.Control.Revision(t.Context(), first)
	fails(t, err, codes.NotFound, "REVISION")
	if got := w.Fleet.Revisions(); len(got) != 1 || got[0] != second {
		t.Errorf("the fleet has %v", got)
	}
}

// contract: REV-2
func TestTheOldestIdleRevisionsAreForgotten(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.KeepRevisions = 2 }})
	name := w.Service("hello")
	first := getService(t, w, name).GetLatestReadyRevision()
	share(t, w, name, to("", 100, ""), to(shortName(first), 0, "old"))
	redeploy(t, w, name, "2")
	last := redeploy(t, w, name, "3")
	w.Eventually("the second one to go", func() bool { return len(revisions(t, w, name)) == 2 })
	if got := revisions(t, w, name); got[0] != last || got[1] != first {
		t.Errorf("left are %v", got)
	}
}

func TestInstancesThatEndedLongAgoAreForgotten(t *testing.T) {
	t.Parallel()
	var logs removedLogs
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.RemoveLogs, c.KeepInstances = logs.remove, 3 }})
	name := w.Service("hello")
	revision := getService(t, w, name).GetLatestReadyRevision()
	live := w.Fleet.Living(revision)
	w.Fleet.Churn(revision, 10)
	var ids []string
	last := strings.TrimSuffix(live[0], "-1") + "-11"
	w.Eventually("four instances to be left", func() bool {
		all, err := w.Control.ServiceInstances(t.Context(), parent+"/services/-/revisions/"+shortName(revision))
		if err != nil {
			t.Fatal(err)
		}
		ids = nil
		for _, x := range all {
			ids = append(ids, x.ID)
		}
		return len(ids) == 4 && ids[0] == last
	})
	if ids[3] != live[0] || logs.has(live[0]) || logs.has(ids[0]) || !logs.has(strings.TrimSuffix(live[0], "-1")+"-2") {
		t.Errorf("left are %v", ids)
	}
	w.Restart()
	if got := w.Fleet.Living(revision); len(got) != 1 || got[0] != live[0] {
		t.Errorf("after a restart %v live", got)
	}
}

// What a fleet has to say of a revision that is gone leaves nothing behind.
func TestRecordOfAnInstanceOfNothing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	r := serving.Record{ID: "x", Revision: parent + "/services/gone/revisions/gone-1", Created: time.Now()}
	<-control.NewJournal(w.Store()).Instance(r).Done()
	err := w.Store().View(func(tx *store.Tx) error {
		for e := range tx.Newest("instances", "") {
			t.Errorf("left is %s", e.Name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// An instance of a revision that failed, left by a daemon that was killed, has
// ended for the next one.
func TestInstancesOfARevisionThatFailedEndWithTheDaemon(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	spec := controltest.NewService()
	spec.Template.Containers[0].Args = []string{"break"}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	revision := getService(t, w, s.GetName()).GetLatestCreatedRevision()
	w.Eventually("the fleet to let go of it", func() bool { return len(w.Fleet.Revisions()) == 0 })
	<-control.NewJournal(w.Store()).Instance(serving.Record{ID: "x", Revision: revision, Created: time.Now()}).Done()
	w.Restart()
	w.Eventually("the instance to have ended", func() bool {
		all, err := w.Control.ServiceInstances(t.Context(), revision)
		return err == nil && len(all) == 1 && !all[0].Live
	})
}
