package scheduler

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
)

// world is a machine, its journal, and one scheduler after the other.
type world struct {
	t       *testing.T
	journal *memJournal
	machine *machine
	config  Config
	x       *runpb.Execution

	life      *life
	scheduler *Scheduler
	run       *Execution
	// user guards run where the user's timers use it.
	user sync.Mutex
	// shown is the last update time that was.
	shown time.Time
}

// durable runs f in a bubble with a world that has one execution of job, begun
// on a machine with n slots.
func durable(t *testing.T, n int, job *runpb.Job, play func(index, attempt int) script, f func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, n, job, play)
		w.begin(n)
		f(t, w)
		w.scheduler.Wait()
	})
}

// each makes every instance do the same.
func each(s script) func(int, int) script { return func(int, int) script { return s } }

// restart kills the process and starts another on a machine with n slots.
func (w *world) restart(n int, down time.Duration) {
	w.t.Helper()
	w.crash()
	<-time.After(down)
	w.begin(n)
	w.machine.endSurvivors()
}

// newWorld has an execution of job that has not begun, and a machine with n
// slots.
func newWorld(t *testing.T, n int, job *runpb.Job, play func(index, attempt int) script) *world {
	t.Helper()
	j := newMemJournal()
	w := &world{t: t, journal: j, machine: newMachine(t, j, play)}
	w.config = somewhere(Config{Journal: j, Budget: room(n), Creating: 2, Ahead: 2})
	x, err := New(w.config).NewExecution(job, "")
	if err != nil {
		t.Fatal(err)
	}
	w.x = x
	return w
}

// begin starts a process that goes on with what is durable.
func (w *world) begin(slots int) {
	w.t.Helper()
	w.life = w.machine.next()
	w.config.Create, w.config.Adopt, w.config.Budget = w.life.create, w.life.adopt, room(slots)
	w.scheduler = New(w.config)
	x, past := w.journal.last(w.t, w.x)
	run, err := w.scheduler.Run(context.Background(), x, &rimage.Image{}, past)
	if err != nil {
		w.t.Fatal(err)
	}
	w.user.Lock()
	defer w.user.Unlock()
	w.run = run
}

// cancel is what the user does at any time.
func (w *world) cancel() {
	w.user.Lock()
	defer w.user.Unlock()
	if w.run != nil {
		w.run.Cancel()
	}
}

// crash ends the process as kill -9 does.
func (w *world) crash() {
	close(w.life.dead)
	w.scheduler.Detach()
	w.scheduler.Wait()
	w.journal.crash()
}
