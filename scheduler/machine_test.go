package scheduler

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// machine is a fake of everything below the scheduler that outlives it. It
// watches that nothing happens before its record allows it.
type machine struct {
	t       *testing.T
	journal *memJournal
	play    func(index, attempt int) script

	// adoptErr is what adoptions fail with.
	adoptErr error

	mu      sync.Mutex
	created int
	bodies  map[string]*body
	started map[[2]int]bool
}

// body is one instance, whoever holds it.
type body struct {
	spec           rruntime.Spec
	index, attempt int
	script         script
	started, over  bool
	exit           rruntime.Exit
	timer          *time.Timer
	ended          chan struct{}
	// unseen says that nobody was told of its end, adopted that a process holds
	// it.
	unseen, adopted bool
}

func newMachine(t *testing.T, j *memJournal, play func(index, attempt int) script) *machine {
	return &machine{t: t, journal: j, play: play, bodies: map[string]*body{}, started: map[[2]int]bool{}}
}

// look runs f when nothing changes.
func (m *machine) look(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// instances is how many have been created.
func (m *machine) instances() (n int) {
	m.look(func() { n = m.created })
	return n
}

// life is one process's hold of the machine, until it dies.
type life struct {
	*machine
	dead chan struct{}
}

var errDead = errors.New("the process is dead")

func (l *life) gone() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

func (l *life) create(ctx context.Context, spec rruntime.Spec) (Instance, error) {
	index, attempt := indexOf(spec)
	l.mu.Lock()
	s := l.play(index, attempt)
	l.mu.Unlock()
	spend(s.createTakes)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.gone():
		return nil, errDead
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case l.bodies[spec.ID] != nil:
		return nil, rruntime.ErrExists
	case s.createErr != nil:
		return nil, s.createErr
	}
	b := &body{spec: spec, index: index, attempt: attempt, script: s, ended: make(chan struct{}), adopted: true}
	l.bodies[spec.ID] = b
	l.created++
	return &handle{l, b}, nil
}

func (l *life) adopt(_ context.Context, spec rruntime.Spec) (Instance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bodies[spec.ID]
	switch {
	case l.gone():
		return nil, errDead
	case l.adoptErr != nil:
		return nil, l.adoptErr
	case b == nil:
		return nil, rruntime.ErrNotFound
	case b.adopted:
		l.t.Errorf("%s is adopted twice, or by its creator", spec.ID)
	case b.spec.Identity != spec.Identity:
		l.t.Errorf("%s is adopted with another identity: %v", spec.ID, spec.Identity)
	}
	b.adopted = true
	return &handle{l, b}, nil
}

// next begins another life; what was adopted in the last one can be again.
func (m *machine) next() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.bodies {
		b.adopted = false
	}
	return &life{machine: m, dead: make(chan struct{})}
}

// endSurvivors deletes what nobody has adopted.
func (m *machine) endSurvivors() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, b := range m.bodies {
		if !b.adopted {
			if r := m.journal.record(b.index); b.started && r.State == Running && r.Attempts == b.attempt+1 {
				m.t.Errorf("%s, which had been started, was not adopted", id)
			}
			delete(m.bodies, id)
		}
	}
}

// vanish takes away every instance that pick chooses, as a reboot does.
func (m *machine) vanish(pick func() bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, b := range m.bodies {
		if pick() {
			m.end(b, contract.Exit{Lost: true})
			delete(m.bodies, id)
		}
	}
}

// end ends an instance. The caller holds mu.
func (m *machine) end(b *body, exit contract.Exit) {
	if b.over {
		return
	}
	b.over, b.exit = true, rruntime.Exit{Exit: exit, At: time.Now()}
	if b.timer != nil {
		b.timer.Stop()
	}
	close(b.ended)
}

// handle is a life's hold of an instance.
type handle struct {
	*life
	body *body
}

func (h *handle) Started() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.body.started
}

func (h *handle) Start(context.Context) error {
	b := h.body
	spend(b.script.startTakes)
	r := h.journal.record(b.index)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone() {
		return errDead
	}
	if b.script.startErr != nil {
		b.unseen = true
		return b.script.startErr
	}
	if r.State != Running || r.Attempts != b.attempt+1 {
		h.t.Errorf("task %d, attempt %d is started when its record is %+v", b.index, b.attempt, r)
	}
	if h.started[[2]int{b.index, b.attempt}] {
		h.t.Errorf("task %d, attempt %d is started twice", b.index, b.attempt)
	}
	for _, other := range h.bodies {
		if other.index == b.index && other.started && !other.over {
			h.t.Errorf("task %d: attempts %d and %d at once", b.index, other.attempt, b.attempt)
		}
	}
	h.started[[2]int{b.index, b.attempt}] = true
	b.started = true
	b.timer = time.AfterFunc(b.script.runs, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.end(b, b.script.exit)
	})
	return nil
}

func (h *handle) Wait(ctx context.Context) (rruntime.Exit, error) {
	select {
	case <-h.body.ended:
	case <-ctx.Done():
		return rruntime.Exit{}, ctx.Err()
	case <-h.dead:
		return rruntime.Exit{}, errDead
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.body.script.waitErr != nil {
		h.body.unseen = true
		return rruntime.Exit{}, h.body.script.waitErr
	}
	return h.body.exit, nil
}

func (h *handle) Stop(ctx context.Context, grace time.Duration) error {
	b := h.body
	if h.gone() {
		return errDead
	}
	if grace > 0 {
		if !b.script.deaf {
			exit := contract.Exit{Signal: syscall.SIGTERM}
			if b.script.onTerm != nil {
				exit = *b.script.onTerm
			}
			h.kill(exit)
			return nil
		}
		select {
		case <-b.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-h.dead:
			return errDead
		case <-time.After(grace):
		}
	}
	h.kill(contract.Exit{Signal: syscall.SIGKILL})
	return nil
}

func (h *handle) kill(exit contract.Exit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.gone() {
		h.end(h.body, exit)
	}
}

func (h *handle) Delete(context.Context) error {
	b := h.body
	spend(b.script.deleteTakes)
	r := h.journal.record(b.index)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone() {
		return errDead
	}
	if b.script.deleteErrs > 0 {
		b.script.deleteErrs--
		return errors.New("device or resource busy")
	}
	if h.bodies[b.spec.ID] != b {
		return nil
	}
	if b.started && !b.unseen && !b.exit.Lost && (r.Attempts == b.attempt+1 && r.State == Running || r.Attempts <= b.attempt) {
		h.t.Errorf("task %d, attempt %d is deleted when its record is %+v", b.index, b.attempt, r)
	}
	h.end(b, contract.Exit{Signal: syscall.SIGKILL})
	delete(h.bodies, b.spec.ID)
	return nil
}
