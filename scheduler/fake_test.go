package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// script is what a fake instance does.
type script struct {
	createTakes, startTakes, deleteTakes time.Duration
	createErr, startErr, waitErr         error
	// runs is how long the process runs before it exits by itself.
	runs time.Duration
	exit contract.Exit
	// deaf processes ignore SIGTERM; others end with onTerm, by default by the
	// signal.
	deaf   bool
	onTerm *contract.Exit
	// stopErr is what Stop answers, without doing anything.
	stopErr error
	// deleteErrs is how often Delete fails.
	deleteErrs int
}

// host is a fake of everything below the scheduler. It watches that every call
// is allowed when it comes.
type host struct {
	t *testing.T
	// play chooses what the instance of spec does. One call at a time, under
	// mu.
	play func(spec rruntime.Spec) script

	mu               sync.Mutex
	created, deleted int
	specs            map[string]rruntime.Spec
	creating         int
	running          int
	deleting         int
	mostCreating     int
	mostRunning      int
	mostDeleting     int
	mostCreated      int
	killed, termed   int
}

func newHost(t *testing.T, play func(rruntime.Spec) script) *host {
	return &host{t: t, play: play, specs: make(map[string]rruntime.Spec)}
}

// always makes every instance do the same.
func always(s script) func(rruntime.Spec) script {
	return func(rruntime.Spec) script { return s }
}

func (h *host) create(ctx context.Context, spec rruntime.Spec) (Instance, error) {
	var s script
	h.count(func() { s = h.play(spec) })
	h.count(func() { h.creating++; h.mostCreating = max(h.mostCreating, h.creating) })
	defer h.count(func() { h.creating-- })
	if s.createTakes > 0 {
		select {
		case <-time.After(s.createTakes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if s.createErr != nil {
		return nil, s.createErr
	}
	h.count(func() {
		if _, ok := h.specs[spec.ID]; ok {
			h.t.Errorf("instance %s was created twice", spec.ID)
		}
		h.specs[spec.ID] = spec
		h.created++
		h.mostCreated = max(h.mostCreated, h.created-h.deleted)
	})
	return &instance{host: h, script: s, id: spec.ID, ended: make(chan struct{})}, nil
}

func (h *host) count(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// clean checks that nothing is left.
func (h *host) clean() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.created != h.deleted || h.running != 0 || h.creating != 0 {
		h.t.Errorf("left behind: %d created, %d deleted, %d running, %d in creation",
			h.created, h.deleted, h.running, h.creating)
	}
}

// instance is one fake instance.
type instance struct {
	host   *host
	script script
	id     string

	mu      sync.Mutex
	started bool
	over    bool
	deleted bool
	exit    rruntime.Exit
	timer   *time.Timer
	ended   chan struct{}
}

func (i *instance) Started() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.started
}

func (i *instance) Start(context.Context) error {
	spend(i.script.startTakes)
	if i.script.startErr != nil {
		return i.script.startErr
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.started || i.deleted {
		i.host.t.Errorf("instance %s: started twice or after its deletion", i.id)
	}
	i.started = true
	i.host.count(func() {
		i.host.running++
		i.host.mostRunning = max(i.host.mostRunning, i.host.running)
	})
	i.timer = time.AfterFunc(i.script.runs, func() { i.end(i.script.exit) })
	return nil
}

// spend lets time pass.
func spend(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (i *instance) end(exit contract.Exit) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over {
		return
	}
	i.over = true
	i.timer.Stop()
	i.exit = rruntime.Exit{Exit: exit, At: time.Now()}
	i.host.count(func() { i.host.running-- })
	close(i.ended)
}

func (i *instance) Wait(ctx context.Context) (rruntime.Exit, error) {
	select {
	case <-i.ended:
	case <-ctx.Done():
		return rruntime.Exit{}, ctx.Err()
	}
	if i.script.waitErr != nil {
		return rruntime.Exit{}, i.script.waitErr
	}
	return i.exit, nil
}

func (i *instance) Stop(ctx context.Context, grace time.Duration) error {
	if i.script.stopErr != nil {
		return i.script.stopErr
	}
	if grace > 0 {
		i.host.count(func() { i.host.termed++ })
		if !i.script.deaf {
			exit := contract.Exit{Signal: syscall.SIGTERM}
			if i.script.onTerm != nil {
				exit = *i.script.onTerm
			}
			i.end(exit)
			return nil
		}
		select {
		case <-i.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(grace):
		}
	}
	i.host.count(func() { i.host.killed++ })
	i.end(contract.Exit{Signal: syscall.SIGKILL})
	return nil
}

func (i *instance) Delete(context.Context) error {
	i.host.count(func() { i.host.deleting++; i.host.mostDeleting = max(i.host.mostDeleting, i.host.deleting) })
	defer i.host.count(func() { i.host.deleting-- })
	spend(i.script.deleteTakes)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.started && !i.over && i.script.stopErr == nil {
		i.host.t.Errorf("instance %s: deleted while it runs", i.id)
	}
	if i.script.deleteErrs > 0 {
		i.script.deleteErrs--
		return errors.New("device or resource busy")
	}
	if !i.deleted {
		i.deleted = true
		i.host.count(func() { i.host.deleted++ })
	}
	return nil
}

// somewhere fills in where instances run, where config does not say.
func somewhere(config Config) Config {
	config.ProjectID = cmp.Or(config.ProjectID, "local")
	if config.ProjectNumber == nil {
		config.ProjectNumber = func(string) string { return "123456789012" }
	}
	config.Region = cmp.Or(config.Region, "us-central1")
	config.ServiceAccount = cmp.Or(config.ServiceAccount, "default@local.iam.gserviceaccount.com")
	return config
}

// testJob is a job with everything said.
func testJob(tasks, parallelism, retries int, timeout time.Duration) *runpb.Job {
	return &runpb.Job{
		Name: "migrate",
		Template: &runpb.ExecutionTemplate{
			TaskCount:   int32(tasks),
			Parallelism: int32(parallelism),
			Template: &runpb.TaskTemplate{
				Containers: []*runpb.Container{{
					Image:     "registry.example/migrate:1",
					Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1000m", "memory": "512Mi"}},
				}},
				Retries: &runpb.TaskTemplate_MaxRetries{MaxRetries: int32(retries)},
				Timeout: durationpb.New(timeout),
			},
		},
	}
}

// room is a budget for n tasks of testJob.
func room(n int) *Budget {
	return NewBudget(Resources{CPU: contract.MilliCPU(n) * 1000, Memory: contract.Bytes(n) * 512 * contract.MiB})
}

// execute runs job to its end.
func execute(t *testing.T, s *Scheduler, job *runpb.Job) (*Execution, *runpb.Execution) {
	t.Helper()
	e := begin(t, s, job)
	return e, wait(t, e)
}

func begin(t *testing.T, s *Scheduler, job *runpb.Job) *Execution {
	t.Helper()
	e, err := s.Execute(t.Context(), job, &rimage.Image{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wait(t *testing.T, e *Execution) *runpb.Execution {
	t.Helper()
	status, err := e.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// statusOf is the execution as it stands.
func statusOf(t *testing.T, e *Execution) *runpb.Execution {
	t.Helper()
	x, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// tasksOf are all tasks as they stand.
func tasksOf(t *testing.T, e *Execution) []*runpb.Task {
	t.Helper()
	tasks, err := e.Tasks(context.Background(), 0, contract.MaxTasks)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// check compares the counts of an execution, written as "succeeded S failed F
// cancelled C retried R".
func check(t *testing.T, e *runpb.Execution, want string) {
	t.Helper()
	got := fmt.Sprintf("succeeded %d failed %d cancelled %d retried %d",
		e.GetSucceededCount(), e.GetFailedCount(), e.GetCancelledCount(), e.GetRetriedCount())
	if got != want || e.GetRunningCount() != 0 {
		t.Errorf("counts: got %s, running %d; want %s", got, e.GetRunningCount(), want)
	}
}

// completed is the condition that says how an execution ended.
func completed(t *testing.T, e *runpb.Execution) *runpb.Condition {
	t.Helper()
	for _, c := range e.GetConditions() {
		if c.GetType() == "Completed" {
			return c
		}
	}
	t.Fatal("no condition Completed")
	return nil
}

// indexOf reads the task's index from an instance's environment, as a container
// would.
func indexOf(spec rruntime.Spec) (index, attempt int) {
	for _, v := range spec.Containers[0].Env {
		_, _ = fmt.Sscanf(v, "CLOUD_RUN_TASK_INDEX=%d", &index)
		_, _ = fmt.Sscanf(v, "CLOUD_RUN_TASK_ATTEMPT=%d", &attempt)
	}
	return index, attempt
}
