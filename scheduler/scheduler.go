package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// defaultPIDs bounds the processes and threads of an instance where Config does
// not: far above what servers use, far below what a host has.
const defaultPIDs = 8192

// Config says what the scheduler works with. Create, Budget and ProjectNumber
// are required.
type Config struct {
	// Create makes the instances.
	Create Create
	// Adopt takes over those that another process has left. Nil: there are none.
	Adopt Adopt
	// Journal makes executions durable: they outlive this process, and the
	// keeper of their instances, which is expected to be replaced when it goes
	// away. Nil: they end with either.
	Journal Journal
	// Budget is what all executions share.
	Budget *Budget
	// Observe is told every change before it is acted upon, one at a time for
	// each execution; several executions call it at once. It holds up the
	// execution while it runs, and must not ask it anything: Cancel and Kill
	// are allowed. Nil: nobody wants to know.
	Observe func(Event)

	// Uptime tells how long the host has been up, by a clock that nobody sets,
	// nor suspension moves: what an attempt has had of its time is measured by it
	// across processes. Nil: it is measured by the clock on the wall.
	Uptime func() time.Duration

	// ProjectID and Region are for jobs whose name does not tell them,
	// ServiceAccount for those that name none.
	ProjectID, Region, ServiceAccount string
	// ProjectNumber gives the number of a project.
	ProjectNumber func(project string) string

	// PIDs bounds the processes and threads of each instance; 8,192 if 0.
	PIDs int64
	// Creating is how many instances are created at once, and how many are
	// deleted at once, over all executions. Both are mostly CPU time, so 0
	// means twice the number of CPUs.
	Creating int
	// Ahead is how many instances an execution holds ready beyond those there
	// is room to start; 0 means as many as Creating. All executions together
	// prepare no more than Creating and Ahead without having room for them.
	Ahead int
	// Logger gets state changes; nil discards them.
	Logger *slog.Logger
}

// Scheduler runs executions. Safe for concurrent use.
type Scheduler struct {
	config Config
	// creates and deletes hold a token for each such call under way, prepared
	// one for each instance that has no room yet.
	creates, deletes, prepared chan struct{}
	loops                      sync.WaitGroup
	// detached is closed by Detach.
	detached   chan struct{}
	detachOnce sync.Once

	// mu guards live.
	mu sync.Mutex
	// live holds the full names of the executions that have not ended.
	live map[string]struct{}
}

// New makes a scheduler with nothing to do.
func New(config Config) *Scheduler {
	if config.Adopt == nil {
		config.Adopt = func(context.Context, rruntime.Spec) (Instance, error) { return nil, rruntime.ErrNotFound }
	}
	if config.Observe == nil {
		config.Observe = func(Event) {}
	}
	if config.Uptime == nil {
		config.Uptime = func() time.Duration { return 0 }
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.PIDs == 0 {
		config.PIDs = defaultPIDs
	}
	if config.Creating <= 0 {
		config.Creating = 2 * runtime.NumCPU()
	}
	if config.Ahead <= 0 {
		config.Ahead = config.Creating
	}
	return &Scheduler{
		config:   config,
		creates:  make(chan struct{}, config.Creating),
		deletes:  make(chan struct{}, config.Creating),
		prepared: make(chan struct{}, config.Creating+config.Ahead),
		detached: make(chan struct{}),
		live:     make(map[string]struct{}),
	}
}

// Run begins execution x, which NewExecution has made, with the image of its
// container, or goes on with it: past is what the journal has kept of it, and x
// the resource as it was kept last. The instances of attempts that another
// process has begun are taken over, whether there is room for them or not, by
// the time Run returns; all others that it has left may be removed then.
//
// The image must stay until the execution is over. When ctx ends, the execution
// is cancelled; the error is ErrRunning where x is under way already.
func (s *Scheduler) Run(ctx context.Context, x *runpb.Execution, img *rimage.Image, past Past) (*Execution, error) {
	p := newPlan(x)
	if err := p.describe(&s.config, img); err != nil {
		return nil, fmt.Errorf("execution %s: %w", p.name, err)
	}
	if !s.claim(x.GetName()) {
		return nil, fmt.Errorf("execution %s: %w", p.name, ErrRunning)
	}
	e := newExecution(p)
	l := newLoop(s, e)
	s.loops.Go(func() {
		defer s.release(p.x.GetName())
		l.run(ctx, past)
	})
	select {
	case <-l.resumed:
	case <-l.left:
	}
	return e, nil
}

// Detach lets go of all executions: nothing more is begun, ended or recorded,
// and no instance is touched, so that another scheduler, in this process or the
// next, can go on with them. What has been begun is carried through, also the
// grace period of an instance that is being stopped; Wait returns then, and so
// do those who wait for an execution, with ErrDetached.
func (s *Scheduler) Detach() { s.detachOnce.Do(func() { close(s.detached) }) }

// Wait returns when every execution has ended and everything of it is gone, or
// when all that was under way at Detach has come to its end.
func (s *Scheduler) Wait() { s.loops.Wait() }

// claim reserves the name of an execution, unless it is under way.
func (s *Scheduler) claim(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.live[name]; taken {
		return false
	}
	s.live[name] = struct{}{}
	return true
}

func (s *Scheduler) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, name)
}
