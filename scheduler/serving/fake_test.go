package serving

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"runnel/cgroups"
	"runnel/contract"
	rruntime "runnel/runtime"
)

// script is what a fake instance does.
type script struct {
	createTakes, startTakes, deleteTakes time.Duration
	createErr, startErr                  error
	// listens is how long after its start a container listens, by its place; -1
	// for never. Those without one listen at once.
	listens []time.Duration
	// ends is when the instance ends by itself with exit; never if 0.
	ends time.Duration
	exit contract.Exit
	// deaf processes ignore SIGTERM.
	deaf       bool
	deleteErrs int
	// answer is what a probe by HTTP or gRPC finds, since the start; nil is well.
	answer func(time.Duration) error
}

// world is a fake of everything below the fleet that outlives it. It watches that
// every call is allowed when it comes.
type world struct {
	t testing.TB
	// play chooses what an instance does. One call at a time, under mu.
	play func(rruntime.Spec) script
	// handler, where it is set, is what containers serve on real listeners.
	handler http.Handler
	// port is where the first container of each does.
	port int
	// held, where it is set, is closed when records become durable.
	held chan struct{}

	mu      sync.Mutex
	bodies  map[string]*body
	made    []*body
	records map[string]Record
	lines   []Line
	adopted map[string]bool
}

// body is one instance, whoever holds it.
type body struct {
	world     *world
	spec      rruntime.Spec
	script    script
	addr      netip.Addr
	listening []chan struct{}
	began     []time.Time
	ended     chan struct{}
	exit      rruntime.Exit
	cpu       []contract.MilliCPU
	levels    [][]contract.MilliCPU
	used      time.Duration
	timer     *time.Timer
	servers   []*http.Server
	termed    time.Time
	killed    time.Time
}

func newWorld(t testing.TB, play func(rruntime.Spec) script) *world {
	return &world{t: t, play: play, bodies: map[string]*body{}, records: map[string]Record{}, adopted: map[string]bool{}}
}

func always(s script) func(rruntime.Spec) script { return func(rruntime.Spec) script { return s } }

// look runs f when nothing changes.
func (w *world) look(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

var errDead = errors.New("the process is dead")

// life is one process's hold of the world, until it dies.
type life struct {
	*world
	dead chan struct{}
}

func (w *world) next() *life {
	w.look(func() { clear(w.adopted) })
	return &life{world: w, dead: make(chan struct{})}
}

func (l *life) gone() bool { return isOver(l.dead) }

func (l *life) create(ctx context.Context, spec rruntime.Spec) (Instance, error) {
	var s script
	l.look(func() { s = l.play(spec) })
	if !sleep(ctx, s.createTakes) {
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.gone():
		return nil, errDead
	case l.bodies[spec.ID] != nil:
		l.t.Errorf("%s is created twice", spec.ID)
		return nil, rruntime.ErrExists
	case s.createErr != nil:
		return nil, s.createErr
	}
	b := &body{
		world: l.world, spec: spec, script: s, ended: make(chan struct{}),
		addr:      netip.AddrFrom4([4]byte{127, 9, byte(len(l.made) / 250), byte(len(l.made)%250 + 1)}),
		listening: make([]chan struct{}, len(spec.Containers)),
		began:     make([]time.Time, len(spec.Containers)),
	}
	for n := range b.listening {
		b.listening[n] = make(chan struct{})
		b.cpu = append(b.cpu, spec.Containers[n].Limits.CPU)
	}
	l.bodies[spec.ID], l.adopted[spec.ID] = b, true
	l.made = append(l.made, b)
	return &handle{l, b}, nil
}

func (l *life) adopt(_ context.Context, spec rruntime.Spec) (Instance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bodies[spec.ID]
	switch {
	case l.gone():
		return nil, errDead
	case b == nil:
		return nil, rruntime.ErrNotFound
	case l.adopted[spec.ID]:
		l.t.Errorf("%s is adopted twice", spec.ID)
	case b.spec.Identity != spec.Identity:
		l.t.Errorf("%s is adopted with another identity", spec.ID)
	}
	l.adopted[spec.ID] = true
	return &handle{l, b}, nil
}

// endSurvivors deletes what nobody has adopted.
func (w *world) endSurvivors() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, b := range w.bodies {
		if !w.adopted[id] {
			if b.started() && w.records[id].Ended.IsZero() {
				w.t.Errorf("%s, which had been started, was not adopted", id)
			}
			w.endBody(b, contract.Exit{Signal: syscall.SIGKILL})
			delete(w.bodies, id)
		}
	}
}

// started reports whether any container was. The caller holds mu.
func (b *body) started() bool {
	return slices.ContainsFunc(b.began, func(t time.Time) bool { return !t.IsZero() })
}

// isListening reports whether container n listens.
func (b *body) isListening(n int) bool { return isOver(b.listening[n]) && !isOver(b.ended) }

// end has an instance end by itself.
func (b *body) end(exit contract.Exit) {
	b.world.look(func() { b.world.endBody(b, exit) })
}

// endBody ends an instance. The caller holds mu.
func (w *world) endBody(b *body, exit contract.Exit) {
	if isOver(b.ended) {
		return
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	for _, s := range b.servers {
		_ = s.Close()
	}
	b.exit = rruntime.Exit{Exit: exit, Container: len(b.spec.Containers) - 1, At: time.Now(), MemoryPeak: 513 * contract.MiB}
	close(b.ended)
}

// handle is a life's hold of an instance.
type handle struct {
	*life
	*body
}

func (h *handle) Addr() netip.Addr { return h.addr }

func (h *handle) Start(ctx context.Context) error { return h.StartContainer(ctx, 0) }

func (h *handle) Started() (started bool) {
	h.look(func() { started = h.started() })
	return started
}

func (h *handle) StartContainer(ctx context.Context, n int) error {
	if !sleep(ctx, h.script.startTakes) {
		return ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.body
	switch {
	case h.gone():
		return errDead
	case b.script.startErr != nil:
		return b.script.startErr
	case isOver(b.ended):
		return errors.New("it has ended")
	case !b.began[n].IsZero():
		return errors.New("it has been started")
	case h.records[b.spec.ID].ID == "":
		h.t.Errorf("%s is started without a record", b.spec.ID)
	}
	if !b.started() && b.script.ends > 0 {
		b.timer = time.AfterFunc(b.script.ends, func() { b.end(b.script.exit) })
	}
	b.began[n] = time.Now()
	var after time.Duration
	if n < len(b.script.listens) {
		after = b.script.listens[n]
	}
	switch {
	case h.handler != nil:
		time.AfterFunc(after, func() { h.serve(b, n) })
	case after == 0:
		close(b.listening[n])
	case after > 0:
		time.AfterFunc(after, func() { close(b.listening[n]) })
	}
	return nil
}

// serve has container n of b listen in earnest.
func (w *world) serve(b *body, n int) {
	l, err := net.Listen("tcp", netip.AddrPortFrom(b.addr, uint16(w.port+n)).String())
	if err != nil {
		w.t.Error(err)
		return
	}
	s := &http.Server{Handler: w.handler, ReadHeaderTimeout: time.Minute}
	w.look(func() {
		if isOver(b.ended) {
			_ = l.Close()
			return
		}
		b.servers = append(b.servers, s)
		close(b.listening[n])
		go func() { _ = s.Serve(l) }()
	})
}

func (h *handle) SetCPU(cpu ...contract.MilliCPU) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone() {
		return errDead
	}
	h.cpu = slices.Clone(cpu)
	h.levels = append(h.levels, h.cpu)
	return nil
}

func (h *handle) Usage() (cgroups.Usage, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cgroups.Usage{CPU: h.used}, nil
}

func (h *handle) Wait(ctx context.Context) (rruntime.Exit, error) {
	select {
	case <-h.ended:
		return h.exit, nil
	case <-ctx.Done():
		return rruntime.Exit{}, ctx.Err()
	case <-h.dead:
		return rruntime.Exit{}, errDead
	}
}

func (h *handle) Stop(ctx context.Context, grace time.Duration) error {
	if h.gone() {
		return errDead
	}
	if !h.Started() {
		h.t.Errorf("%s is stopped and was never started", h.spec.ID)
	}
	if grace > 0 {
		h.look(func() {
			h.termed = time.Now()
			if !slices.Equal(h.cpu, fullOf(h.spec)) && len(h.levels) > 0 {
				h.t.Errorf("%s is stopped with the CPU at %v", h.spec.ID, h.cpu)
			}
		})
		if !h.script.deaf {
			h.end(contract.Exit{Signal: syscall.SIGTERM})
			return nil
		}
		select {
		case <-h.ended:
			return nil
		case <-h.dead:
			return errDead
		case <-ctx.Done():
		case <-time.After(grace):
		}
	}
	h.look(func() { h.killed = time.Now() })
	h.end(contract.Exit{Signal: syscall.SIGKILL})
	return nil
}

func (h *handle) Delete(context.Context) error {
	<-time.After(h.script.deleteTakes)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone() {
		return errDead
	}
	if h.script.deleteErrs > 0 {
		h.script.deleteErrs--
		return errors.New("device or resource busy")
	}
	if h.started() && !isOver(h.ended) {
		h.t.Errorf("%s is deleted while it runs", h.spec.ID)
	}
	if h.started() && len(h.spec.Containers) > 1 && h.termed.IsZero() && h.killed.IsZero() {
		h.t.Errorf("%s is deleted while some of it runs", h.spec.ID)
	}
	h.endBody(h.body, contract.Exit{Signal: syscall.SIGKILL})
	if h.bodies[h.spec.ID] == h.body {
		delete(h.bodies, h.spec.ID)
	}
	return nil
}

// fullOf is the CPU of each container.
func fullOf(spec rruntime.Spec) (cpu []contract.MilliCPU) {
	for _, c := range spec.Containers {
		cpu = append(cpu, c.Limits.CPU)
	}
	return cpu
}
