package control_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
	"runnel/control/controltest"
	rimage "runnel/image"
	"runnel/scheduler/serving"
)

// contract: REV-4 REV-5
func TestRevisionThatFailsLeavesTheOldOneServing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	name := w.Service("hello")
	before := getService(t, w, name)
	before.Template.Containers[0].Args = []string{"break"}
	s, op := updateService(t, w, before)
	id := shortName(s.GetLatestCreatedRevision())
	want := "Revision '" + id + "' is not ready and cannot serve traffic. It breaks."
	if op.GetError().GetMessage() != want || codes.Code(op.GetError().GetCode()) != codes.FailedPrecondition {
		t.Errorf("operation: %v", op.GetError())
	}
	if s.GetLatestReadyRevision() != before.GetLatestReadyRevision() || s.GetLatestCreatedRevision() == before.GetLatestCreatedRevision() || s.GetReconciling() {
		t.Errorf("service: %v", s)
	}
	for _, c := range []*runpb.Condition{s.GetTerminalCondition(), condition(s.GetConditions(), "ConfigurationsReady")} {
		if c.GetState() != runpb.Condition_CONDITION_FAILED || c.GetMessage() != want || c.GetRevisionReason() != runpb.Condition_HEALTH_CHECK_CONTAINER_ERROR {
			t.Errorf("condition: %v", c)
		}
	}
	r := getRevision(t, w, s.GetLatestCreatedRevision())
	if c := condition(r.GetConditions(), "ContainerHealthy"); c.GetMessage() != "It breaks." || c.GetState() != runpb.Condition_CONDITION_FAILED || r.GetReconciling() {
		t.Errorf("revision: %v", r)
	}
	if split := w.Fleet.Split(name); split != shortName(before.GetLatestReadyRevision())+"=100" {
		t.Errorf("served is %s", split)
	}
	w.Eventually("the fleet to let go of it", func() bool { return !slices.Contains(w.Fleet.Revisions(), r.GetName()) })
	// Turned away from on purpose, it does not count any more.
	s.Traffic = []*runpb.TrafficTarget{{Revision: shortName(before.GetLatestReadyRevision()), Percent: 100}}
	if s, op = updateService(t, w, s, "traffic"); op.GetError() != nil || s.GetTerminalCondition().GetState() != succeeded {
		t.Errorf("after the traffic was pinned: %v", s)
	}
	s.Template.Containers[0].Args, s.Traffic = nil, nil
	if s, op = updateService(t, w, s); op.GetError() != nil || s.GetLatestReadyRevision() != s.GetLatestCreatedRevision() {
		t.Errorf("mended: %v", s)
	}
}

// contract: REV-5
func TestReasonsOfRevisionsThatFail(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		prepare func(*controltest.World)
		check   func(*runpb.Condition) bool
		code    codes.Code
		text    string
	}{
		{"no image", func(w *controltest.World) { w.Images.Fail(controltest.Image, rimage.ErrNotFound) },
			func(c *runpb.Condition) bool { return c.GetReason() == runpb.Condition_CONTAINER_MISSING }, codes.NotFound, "Image '" + controltest.Image + "' not found."},
		{"private image", func(w *controltest.World) { w.Images.Fail(controltest.Image, rimage.ErrUnauthorized) },
			func(c *runpb.Condition) bool { return c.GetReason() == runpb.Condition_CONTAINER_IMAGE_UNAUTHORIZED }, codes.PermissionDenied, "cannot be used"},
		{"too late", func(w *controltest.World) {
			w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
		}, func(c *runpb.Condition) bool { return c.GetReason() == runpb.Condition_PROGRESS_DEADLINE_EXCEEDED }, codes.DeadlineExceeded, "in time"},
		{"no room", func(w *controltest.World) {
			w.Fleet.Play(func(*runpb.Revision) controltest.Trial {
				return controltest.Trial{Hold: true, Err: serving.ErrNoRoom}
			})
		}, func(c *runpb.Condition) bool { return c.GetReason() == runpb.Condition_PROGRESS_DEADLINE_EXCEEDED }, codes.DeadlineExceeded, "no room"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.DeployTime = 100 * time.Millisecond }})
			row.prepare(w)
			s, op := createService(t, w, "hello", controltest.NewService())
			op = w.WaitFor(op.GetName())
			if codes.Code(op.GetError().GetCode()) != row.code || !strings.Contains(op.GetError().GetMessage(), row.text) {
				t.Errorf("operation: %v", op.GetError())
			}
			s = getService(t, w, s.GetName())
			r := getRevision(t, w, s.GetLatestCreatedRevision())
			if !row.check(s.GetTerminalCondition()) || !row.check(condition(r.GetConditions(), "Ready")) || s.GetLatestReadyRevision() != "" {
				t.Errorf("service %v, revision %v", s, r)
			}
			if condition(s.GetConditions(), "RoutesReady").GetState() != runpb.Condition_CONDITION_FAILED {
				t.Errorf("nothing can be served: %v", s)
			}
		})
	}
}

// contract: IMG-5 IMG-6
func TestRevisionKeepsTheImageThatItWasMadeWith(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	first := getService(t, w, name).GetLatestReadyRevision()
	digest := w.Images.Digest(controltest.Image)
	if got := getRevision(t, w, first).GetContainers()[0].GetImage(); got != controltest.Image+"@"+digest {
		t.Errorf("the revision's image is %s", got)
	}
	w.Images.Push(controltest.Image)
	s := getService(t, w, name)
	s.Template.Containers[0].Args = []string{"new"}
	s, _ = updateService(t, w, s)
	if got := w.Fleet.Images(s.GetLatestReadyRevision()); len(got) != 1 || got[0] != w.Images.Digest(controltest.Image) {
		t.Errorf("the new revision has %v", got)
	}
	imports := w.Images.Imports()
	w.Restart()
	if got := w.Fleet.Images(first); len(got) != 1 || got[0] != digest || w.Images.Imports() != imports {
		t.Errorf("the old revision has %v after %d imports", got, w.Images.Imports()-imports)
	}
	_, op, err := w.Control.DeleteRevision(t.Context(), &runpb.DeleteRevisionRequest{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Eventually("the old image to be collected", func() bool { return !slices.Contains(w.Images.Stored(), digest) })
}

func TestServiceWhoseImagesAreLostWithTheHost(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	revision := getService(t, w, name).GetLatestReadyRevision()
	digest := w.Images.Digest(controltest.Image)
	w.Images.Push(controltest.Image)
	w.Stop()
	w.Images.Lose()
	w.Resume()
	w.Eventually("the service to be served again", func() bool { return w.Fleet.Split(name) == shortName(revision)+"=100" })
	if got := w.Fleet.Images(revision); len(got) != 1 || got[0] != digest {
		t.Errorf("it has %v, want the digest of before", got)
	}
}

// A revision is what was deployed, or nothing: not what its file holds by now.
func TestServiceWhoseFileHoldsAnotherImageByNow(t *testing.T) {
	t.Parallel()
	const file = "oci-archive:/srv/hello.tar"
	refused := make(refusals, 1)
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.Logger = slog.New(slog.NewTextHandler(refused, nil)) }})
	spec := controltest.NewService()
	spec.Template.Containers[0].Image = file
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	revision := getService(t, w, s.GetName()).GetLatestReadyRevision()
	digest := w.Images.Digest(file)
	w.Stop()
	w.Images.Lose()
	w.Images.Push(file)
	w.Resume()
	select {
	case why := <-refused:
		if !strings.Contains(why, file) || !strings.Contains(why, digest) {
			t.Errorf("it says %q, want the file and what it should hold, %s", why, digest)
		}
	case <-time.After(time.Minute):
		t.Error("it is served")
	}
	if got := w.Fleet.Images(revision); len(got) != 0 {
		t.Errorf("it has %v, want none", got)
	}
}

// refusals takes the first line of a log that says why a revision cannot be served.
type refusals chan string

func (r refusals) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("a revision cannot be served yet")) {
		select {
		case r <- string(line):
		default:
		}
	}
	return len(line), nil
}

// Traffic that has not moved yet is not told to have, and leaves those that have it
// what they are to have at least.
func TestTrafficWaitsForARevisionWhoseImagesAreLost(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewService()
	spec.Scaling = &runpb.ServiceScaling{MinInstanceCount: 2}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	name := s.GetName()
	old := shortName(getService(t, w, name).GetLatestReadyRevision())
	lost := controltest.Image + "@" + w.Images.Digest(controltest.Image)
	w.Images.Push(controltest.Image)
	latest := redeploy(t, w, name, "2")
	w.Stop()
	w.Images.Lose()
	release := w.Images.Hold(lost)
	defer release()
	w.Resume()
	w.Eventually("the service to be served again", func() bool { return w.Fleet.Split(name) == shortName(latest)+"=100" })
	op = beginUpdate(t, w, &runpb.Service{Name: name, Traffic: []*runpb.TrafficTarget{to(old, 100, "")}}, "traffic")
	if op, err := w.Control.WaitOperation(t.Context(), op.GetName(), 100*time.Millisecond); err != nil || op.GetDone() {
		t.Errorf("while the image is on its way: %v, %v", op, err)
	}
	if scale, _ := w.Fleet.Scale(latest); scale.Min != 2 {
		t.Errorf("the revision that is served has %+v", scale)
	}
	release()
	if op := w.WaitFor(op.GetName()); op.GetError() != nil || w.Fleet.Split(name) != old+"=100" {
		t.Errorf("with the image: %v, served is %s", op.GetError(), w.Fleet.Split(name))
	}
}

// contract: DEP-4
func TestRevisionThatIsNotChecked(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(breaks)
	spec := controltest.NewService()
	spec.Template.Containers[0].Args, spec.Template.HealthCheckDisabled = []string{"break"}, true
	s, op := createService(t, w, "hello", spec)
	if op = w.WaitFor(op.GetName()); op.GetError() != nil {
		t.Errorf("operation: %v", op.GetError())
	}
	for _, e := range w.Fleet.Events() {
		if strings.HasPrefix(e, "check") {
			t.Error("it was checked")
		}
	}
	r := getRevision(t, w, getService(t, w, s.GetName()).GetLatestReadyRevision())
	if condition(r.GetConditions(), "ContainerHealthy").GetRevisionReason() != runpb.Condition_HEALTH_CHECK_SKIPPED {
		t.Errorf("got %v", r)
	}
}

// contract: SC-14
func TestMinimumIsThereBeforeTheTraffic(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	s := getService(t, w, name)
	old := shortName(s.GetLatestReadyRevision())
	s.Template.Scaling.MinInstanceCount = 2
	s.Scaling = &runpb.ServiceScaling{MinInstanceCount: 3}
	s, _ = updateService(t, w, s)
	latest := shortName(s.GetLatestReadyRevision())
	events := w.Fleet.Events()
	warm, route := slices.Index(events, "warm "+latest), 0
	for i, e := range events {
		if e == "route hello" {
			route = i
		}
	}
	if warm < 0 || warm > route {
		t.Errorf("events: %v", events)
	}
	if scale, _ := w.Fleet.Scale(s.GetLatestReadyRevision()); scale.Min != 3 {
		t.Errorf("the new one has %v", scale)
	}
	if scale, _ := w.Fleet.Scale(name + "/revisions/" + old); scale.Min != 0 || scale.Max != 100 {
		t.Errorf("the old one has %v", scale)
	}
	r := getRevision(t, w, s.GetLatestReadyRevision())
	if r.GetScalingStatus().GetDesiredMinInstanceCount() != 3 || condition(r.GetConditions(), "MinInstancesProvisioned").GetState() != succeeded {
		t.Errorf("got %v", r)
	}
}

// contract: SC-14
func TestMinimumThatTakesLongDelaysNoTraffic(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.WarmTime = 50 * time.Millisecond }})
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{HoldMinimum: true} })
	spec := controltest.NewService()
	spec.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 5}
	s, op := createService(t, w, "hello", spec)
	if done := w.WaitFor(op.GetName()); done.GetError() != nil {
		t.Fatal(done.GetError())
	}
	r := getRevision(t, w, getService(t, w, s.GetName()).GetLatestReadyRevision())
	c := condition(r.GetConditions(), "MinInstancesProvisioned")
	if c.GetRevisionReason() != runpb.Condition_MIN_INSTANCES_NOT_PROVISIONED || c.GetSeverity() != runpb.Condition_WARNING {
		t.Errorf("got %v", c)
	}
}

// contract: SC-14
func TestMinimumIsToldWhileItIsWarmed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{HoldMinimum: true} })
	spec := controltest.NewService()
	spec.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 5}
	s, op := createService(t, w, "hello", spec)
	w.Eventually("the warming to be told", func() bool {
		r := getRevision(t, w, s.GetLatestCreatedRevision())
		return condition(r.GetConditions(), "MinInstancesProvisioned").GetRevisionReason() == runpb.Condition_MIN_INSTANCES_WARMING
	})
	if split := w.Fleet.Split(s.GetName()); split != "" {
		t.Errorf("served is %s", split)
	}
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	w.Eventually("the traffic", func() bool {
		w.Fleet.Release()
		return w.Fleet.Split(s.GetName()) != ""
	})
	w.WaitFor(op.GetName())
}

// contract: SC-14
func TestRollbackIsWarmedToo(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewService()
	spec.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 2}
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	first := shortName(getService(t, w, s.GetName()).GetLatestReadyRevision())
	redeploy(t, w, s.GetName(), "2")
	before := len(w.Fleet.Events())
	share(t, w, s.GetName(), to(first, 100, ""))
	events := w.Fleet.Events()[before:]
	warm := slices.Index(events, "warm "+first)
	if warm < 0 || !slices.Contains(events[warm:], "route hello") {
		t.Errorf("events: %v", events)
	}
}
