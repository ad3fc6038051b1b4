package scheduler

import (
	"context"
	"log/slog"
	"runtime"
	"sync"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
)

// defaultPIDs bounds the processes and threads of an instance where Config does
// not: far above what servers use, far below what a host has.
const defaultPIDs = 8192

// Config says what the scheduler works with. Create and Budget are required.
type Config struct {
	// Create makes the instances.
	Create Create
	// Budget is what all executions share.
	Budget *Budget
	// Observe is told every change before it is acted upon, one at a time for
	// each execution; several executions call it at once. It holds up the
	// execution while it runs, and must not ask it anything: Cancel and Kill
	// are allowed. Nil: nobody wants to know.
	Observe func(Event)

	// ProjectID, ProjectNumber and Region name where instances run;
	// ServiceAccount is for jobs that name none.
	ProjectID, ProjectNumber, Region, ServiceAccount string

	// PIDs bounds the processes and threads of each instance; 8,192 if 0.
	PIDs int64
	// Creating is how many instances are created at once, and how many are
	// deleted at once, over all executions. Both are mostly CPU time, so 0
	// means twice the number of CPUs.
	Creating int
	// Ahead is how many instances an execution holds ready beyond those there
	// is room to start; 0 means as many as Creating.
	Ahead int
	// Logger gets state changes; nil discards them.
	Logger *slog.Logger
}

// Scheduler runs executions. Safe for concurrent use.
type Scheduler struct {
	config Config
	// creates and deletes hold a token for each such call under way.
	creates, deletes chan struct{}
	loops            sync.WaitGroup

	// mu guards live.
	mu sync.Mutex
	// live holds the names of the executions that have not ended.
	live map[string]struct{}
}

// New makes a scheduler with nothing to do.
func New(config Config) *Scheduler {
	if config.Observe == nil {
		config.Observe = func(Event) {}
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
		config:  config,
		creates: make(chan struct{}, config.Creating),
		deletes: make(chan struct{}, config.Creating),
		live:    make(map[string]struct{}),
	}
}

// Check says whether job, which has been validated, can be executed here,
// whatever its image: the error is the one that Execute would return.
func (s *Scheduler) Check(job *runpb.Job) error {
	_, err := s.plan(job, nil, "")
	return err
}

// Execute begins an execution of job, which has been validated, with the image
// of its container. The image must stay until Wait has told that the execution
// is over. A job whose tasks can never fit on the host is refused with a
// *CapacityError. When ctx ends the execution is cancelled.
func (s *Scheduler) Execute(ctx context.Context, job *runpb.Job, img *rimage.Image) (*Execution, error) {
	_, short := jobPath(job.GetName(), "", "")
	name := s.reserveName(short)
	p, err := s.plan(job, img, name)
	if err != nil {
		s.releaseName(name)
		return nil, err
	}
	e := newExecution(p)
	l := newLoop(s, e)
	s.loops.Go(func() {
		defer s.releaseName(name)
		l.run(ctx)
	})
	return e, nil
}

// plan makes the plan of an execution called name that fits on the host.
func (s *Scheduler) plan(job *runpb.Job, img *rimage.Image, name string) (*plan, error) {
	p, err := newPlan(&s.config, job, img, name)
	if err != nil {
		return nil, err
	}
	return p, s.config.Budget.Check(p.need)
}

// Wait returns when every execution has ended and everything of it is gone.
func (s *Scheduler) Wait() { s.loops.Wait() }

// reserveName finds a name for an execution of job that no live one has.
func (s *Scheduler) reserveName(job string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		name := newExecutionName(job)
		if _, taken := s.live[name]; !taken {
			s.live[name] = struct{}{}
			return name
		}
	}
}

func (s *Scheduler) releaseName(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, name)
}
