package serving

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/ingress"
	"runnel/scheduler"
)

// ticket is closed when what it stands for is durable.
type ticket chan struct{}

func (t ticket) Done() <-chan struct{} { return t }

// Instance keeps a record.
func (l *life) Instance(r Record) scheduler.Ticket {
	l.look(func() {
		if !l.gone() {
			l.records[r.ID] = r
		}
	})
	if l.held != nil {
		return ticket(l.held)
	}
	t := make(ticket)
	close(t)
	return t
}

// past are the records of instances that have not ended.
func (w *world) past(revision string) (past []Record) {
	w.look(func() {
		for _, r := range w.records {
			if r.Ended.IsZero() && r.Revision == revision {
				past = append(past, r)
			}
		}
	})
	return past
}

// town is a world with a fleet.
type town struct {
	*life
	*Fleet
}

// settle makes a fleet in the world w, with room for so many instances.
func settle(w *world, room int, tweak func(*Config)) *town {
	l := w.next()
	c := Config{
		Create: l.create, Adopt: l.adopt, Journal: l,
		Budget: scheduler.NewBudget(scheduler.Resources{
			CPU: contract.MilliCPU(room) * 1000, Memory: contract.Bytes(room) * 512 * contract.MiB,
		}),
		Server:        ingress.New(ingress.Config{}),
		ProjectNumber: func(string) string { return "123456789012" },
		Tell:          func(line Line) { l.look(func() { l.lines = append(l.lines, line) }) },
	}
	if tweak != nil {
		tweak(&c)
	}
	f := New(c)
	f.listening, f.probe = l.listens, l.asks
	return &town{l, f}
}

// inTown runs a test with a fleet, and checks that nothing is left when all has
// been removed.
func inTown(t *testing.T, room int, s script, test func(t *testing.T, w *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := settle(newWorld(t, always(s)), room, nil)
		test(t, w)
		w.clear(t)
	})
}

// clear removes all revisions and checks that nothing is left.
func (w *town) clear(t *testing.T) {
	t.Helper()
	w.Fleet.mu.Lock()
	var names []string
	for name := range w.revisions {
		names = append(names, name)
	}
	w.Fleet.mu.Unlock()
	for _, name := range names {
		if err := w.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	w.Wait()
	w.look(func() {
		for id := range w.bodies {
			t.Errorf("%s is left", id)
		}
		for id, r := range w.records {
			if r.Ended.IsZero() {
				t.Errorf("%s is on record as if it lived", id)
			}
		}
	})
	if used := w.config.Budget.Used(); used != (scheduler.Resources{}) {
		t.Errorf("still reserved: %v", used)
	}
	synctest.Wait()
}

const testService = "projects/local/locations/us-central1/services/hello"

// revision is one of the test service; change may be nil.
func revision(name string, change func(*runpb.Revision)) *runpb.Revision {
	r := &runpb.Revision{
		Name: testService + "/revisions/" + name, Uid: fmt.Sprintf("%08x-1111-4111-8111-111111111111", len(name)),
		Service: testService, ServiceAccount: "default@local.iam.gserviceaccount.com",
		MaxInstanceRequestConcurrency: 1,
		Containers: []*runpb.Container{{
			Name: "hello-1",
			Resources: &runpb.ResourceRequirements{
				Limits: map[string]string{"cpu": "1000m", "memory": "512Mi"}, CpuIdle: true,
			},
		}},
	}
	if change != nil {
		change(r)
	}
	return r
}

// auto is a scale by requests.
func auto(least, most int) Scale { return Scale{Min: least, Max: most, Manual: -1} }

// add adds a revision and has all requests routed to it.
func (w *town) add(t testing.TB, r *runpb.Revision, s Scale) *loop {
	t.Helper()
	if err := w.Add(r, make([]*rimage.Image, len(r.GetContainers())), s, w.past(r.GetName())); err != nil {
		t.Fatal(err)
	}
	return w.find(r.GetName())
}

func (w *town) route(l *loop) {
	w.Route(Service{Name: testService, Hosts: []string{"hello.run.localhost"}, Public: true,
		Traffic: []Traffic{{Revision: l.plan.name, Percent: 100}}})
}

// request takes a slot and gives it back after a time; it tells which instance
// had it, after how long, or why none had.
func (w *town) request(ctx context.Context, l *loop, takes time.Duration) (id string, waited time.Duration, err error) {
	begun := time.Now()
	lease, err := l.pool.Acquire(ctx, "")
	waited = time.Since(begun)
	if err != nil {
		return "", waited, err
	}
	defer lease.Release()
	id = lease.Backend.ID
	w.look(func() {
		b := w.bodies[id]
		switch {
		case b == nil:
			w.t.Errorf("%s has a request and is not there", id)
		case !isOver(b.listening[l.plan.ingress]):
			w.t.Errorf("%s has a request and does not listen", id)
		case b.cpu[0] == 0 && !isOver(b.ended):
			w.t.Errorf("%s has a request and no CPU", id)
		}
	})
	of, stop := lease.Context(ctx)
	defer stop(nil)
	if !sleep(of, takes) {
		return id, waited, context.Cause(of)
	}
	return id, waited, nil
}

// said are the lines that were told, one below the other.
func (w *town) said() (text string) {
	w.look(func() {
		var b strings.Builder
		for _, line := range w.lines {
			fmt.Fprintf(&b, "%s %s: %s\n", line.Severity, line.Container, line.Text)
		}
		text = b.String()
	})
	return text
}

// instances is how many there are, and how many of them have been started.
func (w *town) count() (all, started int) {
	w.look(func() {
		for _, b := range w.bodies {
			all++
			if b.started() {
				started++
			}
		}
	})
	return all, started
}
