package serving

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/ingress"
	rruntime "runnel/runtime"
)

// TestRandomLife lets revisions of a service and a worker pool share a small host,
// on which anything may go wrong, while requests come and go, scales and routes change, and the process is
// replaced, gently or by a kill. It checks what must hold whatever happens.
//
// contract: SC-1, SC-11, SC-16, WP-2, LIFE-9, LIFE-13, REQ-5
func TestRandomLife(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(seed, 0))) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// game is one run of TestRandomLife.
type game struct {
	t     *testing.T
	r     *rand.Rand
	room  int
	world *world
	names []string

	mu     sync.Mutex
	town   *town
	scales map[string]Scale
	work   sync.WaitGroup
	// answered and refused count requests.
	answered, refused int
	// followed says that there was another process before.
	followed bool
}

func randomLife(t *testing.T, r *rand.Rand) {
	chance := rand.New(rand.NewPCG(r.Uint64(), 0)) // for the world alone
	g := &game{t: t, r: r, room: 2 + r.IntN(6), scales: map[string]Scale{}}
	g.world = newWorld(t, func(rruntime.Spec) script { return randomScript(chance) })
	for n := range 1 + r.IntN(3) {
		g.names = append(g.names, fmt.Sprintf("hello-%05d-abc%s", n, "xyz"[:n]))
	}
	if r.IntN(2) == 0 {
		g.names = append(g.names, "mill-00001-abc", "mill-00002-abcd")
	}
	g.enter()
	for range 20 + r.IntN(20) {
		g.step()
	}
	g.work.Wait()
	g.town.clear(t)
	<-time.After(5 * time.Minute) // lets the timers of the world end
}

// enter begins a process, which takes over what there is.
func (g *game) enter() {
	w := settle(g.world, g.room, func(c *Config) { c.Prepared = 1 + g.r.IntN(3) })
	g.mu.Lock()
	g.town = w
	g.mu.Unlock()
	for _, name := range g.names {
		s, known := g.scales[name]
		if !known {
			s = g.scale(name)
			g.scales[name] = s
		}
		w.add(g.t, g.revision(name), s)
	}
	w.endSurvivors()
	g.route()
}

// works reports whether a revision is one of the worker pool.
func works(name string) bool { return strings.HasPrefix(name, "mill-") }

func (g *game) revision(name string) *runpb.Revision {
	if works(name) {
		return workers(name, func(r *runpb.Revision) {
			r.GetContainers()[0].LivenessProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}}
		})
	}
	return revision(name, func(r *runpb.Revision) {
		r.MaxInstanceRequestConcurrency = int32(len(name) - 14)
		r.GetContainers()[0].LivenessProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{}}}
	})
}

func (g *game) scale(name string) Scale {
	if works(name) {
		n := g.r.IntN(4)
		return Scale{Manual: n, Yield: g.r.IntN(n + 1)}
	}
	most := 1 + g.r.IntN(5)
	s := auto(g.r.IntN(3)*g.r.IntN(2), most)
	switch g.r.IntN(12) {
	case 0:
		s.Max = 0
	case 1:
		s.Manual = g.r.IntN(3)
	}
	return s
}

func (g *game) route() {
	s := Service{Name: testService}
	for n, name := range g.names {
		if g.r.IntN(4) > 0 && !works(name) {
			s.Traffic = append(s.Traffic, Traffic{Revision: g.revision(name).GetName(), Tag: fmt.Sprint("t", n)})
		}
	}
	g.town.Route(s)
}

// step lets one thing happen, and some time pass.
func (g *game) step() {
	name := g.names[g.r.IntN(len(g.names))]
	full := g.revision(name).GetName()
	switch g.r.IntN(14) {
	case 0:
		s := g.scale(name)
		g.scales[name] = s
		g.town.SetScale(full, s)
	case 1:
		g.route()
	case 2:
		g.town.Detach()
		g.town.Wait()
		g.followed = true
		g.enter()
	case 3:
		g.town.die()
		g.followed = true
		g.enter()
	case 4:
		w := g.town
		g.work.Go(func() { g.check(w, full) })
	case 5:
		g.hurt()
	default:
		if works(name) {
			break
		}
		w, takes := g.town, time.Duration(g.r.IntN(20_000))*time.Millisecond
		for range 1 + g.r.IntN(8) {
			l := w.find(full)
			g.work.Go(func() { g.ask(w, l, takes) })
		}
	}
	switch g.r.IntN(5) {
	case 0:
	case 1:
		<-time.After(time.Duration(g.r.IntN(20)) * time.Minute)
	default:
		<-time.After(time.Duration(g.r.IntN(5000)) * time.Millisecond)
	}
	synctest.Wait()
	g.audit()
}

// hurt ends an instance that runs.
func (g *game) hurt() {
	g.world.look(func() {
		for _, b := range g.world.bodies {
			if b.started() {
				g.world.endBody(b, contract.Exit{Signal: syscall.SIGKILL, OOMKilled: g.r.IntN(2) == 0})
				return
			}
		}
	})
}

func (g *game) check(w *town, revision string) {
	ctx, stop := context.WithTimeout(g.t.Context(), time.Minute)
	defer stop()
	err := w.Check(ctx, revision)
	var start *StartError
	if err != nil && !errors.As(err, &start) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrDetached) && !errors.Is(err, ErrUnknown) {
		g.t.Errorf("check: %v", err)
	}
}

// ask sends a request; one that is under way when its process goes is not heard
// of again.
func (g *game) ask(w *town, l *loop, takes time.Duration) {
	ctx, stop := context.WithCancelCause(g.t.Context())
	go func() {
		select {
		case <-w.detached:
			stop(errDead)
		case <-ctx.Done():
		}
	}()
	defer stop(nil)
	_, _, err := w.request(ctx, l, takes)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.answered++
	case errors.Is(err, errDead):
	case errors.Is(err, ingress.ErrNoInstance), errors.Is(err, ingress.ErrSaturated), errors.Is(err, ingress.ErrMemory),
		errors.Is(err, ingress.ErrUnhealthy), errors.Is(err, ingress.ErrEnded):
		g.refused++
	default:
		g.t.Errorf("request: %v", err)
	}
}

// audit checks what must hold at any time.
func (g *game) audit() {
	running := 0
	g.world.look(func() {
		for _, b := range g.world.bodies {
			if b.started() && !isOver(b.ended) {
				running++
			}
		}
	})
	// One process may start an instance before it has taken over all of another.
	if used := int(g.town.config.Budget.Used().Memory / (512 * contract.MiB)); running > used || used > g.room && !g.followed {
		g.t.Errorf("%d run, room for %d is used, of %d", running, used, g.room)
	}
	for _, name := range g.names {
		full := g.revision(name).GetName()
		s, scale := g.town.Status(full), g.scales[name]
		limit := scale.Max
		if scale.Manual >= 0 {
			limit = scale.Manual
		}
		if s.Ready+s.Starting > limit {
			g.t.Errorf("%s: %+v with %+v", name, s, scale)
		}
		if s.Waiting > 0 && limit == 0 {
			g.t.Errorf("%s: requests wait for nothing: %+v", name, s)
		}
	}
}

func randomScript(r *rand.Rand) script {
	ms := func(n int) time.Duration { return time.Duration(r.IntN(n)) * time.Millisecond }
	s := script{
		createTakes: ms(500), startTakes: ms(20), deleteTakes: ms(100), deaf: r.IntN(4) == 0,
		listens: []time.Duration{ms(3000)},
	}
	switch r.IntN(20) {
	case 0:
		s.createErr = errors.New("disk full")
	case 1:
		s.startErr = errors.New("shim is gone")
	case 2:
		s.createErr = fmt.Errorf("entrypoint: %w", rruntime.ErrUnstartable)
	case 3, 4:
		s.ends, s.exit = 1+ms(4000), contract.Exit{Code: r.IntN(3)}
	case 5:
		s.ends, s.exit = 1+ms(60_000), contract.Exit{Signal: syscall.SIGKILL, OOMKilled: true}
	case 6:
		s.listens[0] = -1
	case 7:
		s.deleteErrs = 1
	case 8:
		at := ms(120_000)
		s.answer = func(since time.Duration) error {
			if since > at {
				return errors.New("status 500")
			}
			return nil
		}
	}
	return s
}
