package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/scheduler"
)

// How often the counter of tasks is brought up to date: often enough to seem
// alive on a screen, seldom enough for a log elsewhere.
const (
	screenInterval = 100 * time.Millisecond
	plainInterval  = 10 * time.Second
)

// runner is one run of "runnel run".
type runner struct {
	env     env
	flags   *runFlags
	console *console
	board   *board
	logs    *logs
}

func newRunner(e env, f *runFlags) *runner {
	return &runner{env: e, flags: f, console: newConsole(e.Env)}
}

// run pulls the job's image, executes the job and tells how it went.
func (r *runner) run(ctx context.Context, job *runpb.Job) (err error) {
	defer r.console.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := newStopper(r.console, r.env.Signals, cancel)
	defer stop.close()
	r.board = newBoard(int(job.GetTemplate().GetTaskCount()))
	r.logs = newLogs(r.console, r.flags.format == formatJSON, job.GetTemplate().GetTemplate())
	r.advise(job)

	h, err := r.env.Open(ctx, r.hostConfig())
	if err != nil {
		return stop.reason(err)
	}
	defer func() {
		if failure := h.Close(); failure != nil {
			r.console.say("cannot clean up: %v", failure)
			err = cmp.Or(err, cli.ErrFailed)
		}
	}()
	r.logs.follow = h.Follow

	if err := h.Check(job); err != nil {
		return cannotExecute(job, err)
	}
	// Signals end the pull through ctx, but an execution through Cancel.
	img, err := r.pull(ctx, h, job)
	if err != nil {
		return stop.reason(err)
	}
	x, err := h.Execute(context.WithoutCancel(ctx), job, img)
	if err != nil {
		return cannotExecute(job, err)
	}
	stop.take(x)
	failure := r.wait(x)
	return r.finish(stop, job, x, failure)
}

func cannotExecute(job *runpb.Job, err error) error {
	return fmt.Errorf("cannot execute job %s: %w", job.GetName(), err)
}

// advise says what is possible here and not on Cloud Run.
func (r *runner) advise(job *runpb.Job) {
	if memory := memoryLimit(job.GetTemplate().GetTemplate()); memory < contract.RecommendedMinMemory {
		r.console.say("note: each task has %s of memory; Cloud Run gives its jobs at least %s", memory, contract.RecommendedMinMemory)
	}
}

func (r *runner) hostConfig() hostConfig {
	return hostConfig{
		Root:           r.flags.root,
		ProjectID:      r.flags.project,
		ProjectNumber:  r.flags.projectNumber,
		Region:         r.flags.region,
		ServiceAccount: r.flags.serviceAccount,
		TrustedHosts:   r.flags.trustedHosts,
		Observe: func(e scheduler.Event) {
			r.board.observe(e)
			r.logs.observe(e)
		},
		Warn: func(text string) { r.console.say("note: %s", text) },
	}
}

// pull makes the image ready and shows its layers.
func (r *runner) pull(ctx context.Context, h host, job *runpb.Job) (*rimage.Image, error) {
	reference := job.GetTemplate().GetTemplate().GetContainers()[0].GetImage()
	_ = r.console.flush() // the view may draw beside the console; lost tells
	view := newLayerView(r.env.Env, r.console)
	defer view.close()
	img, err := h.Pull(ctx, reference, view.show)
	if err != nil {
		return nil, fmt.Errorf("cannot %w", err) // "pull IMAGE: ..."
	}
	return img, nil
}

// wait shows the counter until the execution is over and all its output read.
func (r *runner) wait(x execution) error {
	done := make(chan struct{})
	var counter sync.WaitGroup
	counter.Go(func() { r.count(done) })
	// Not bound to a signal: it ends when everything of the execution is gone.
	_, err := x.Wait(context.Background())
	r.logs.wait()
	close(done)
	counter.Wait()
	return err
}

// count keeps the counter of tasks up to date until done is closed.
func (r *runner) count(done <-chan struct{}) {
	interval := plainInterval
	if r.console.screen {
		interval = screenInterval
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	defer r.console.setStatus("")
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			r.console.setStatus(r.counter())
		}
	}
}

// counter is the execution's progress in a line.
func (r *runner) counter() string {
	counts, tasks := r.board.snapshot()
	return fmt.Sprintf("%d running, %d succeeded, %d failed of %d tasks",
		counts.Running, counts.Succeeded, counts.Failed, len(tasks))
}

// finish shows the result and turns it into the command's error.
func (r *runner) finish(stop *stopper, job *runpb.Job, x execution, failure error) error {
	s := summary{job: job.GetName(), execution: x.Name()}
	s.counts, s.tasks = r.board.snapshot()
	out := s.table()
	if r.flags.format == formatJSON {
		out = s.json()
	}
	r.console.result(out)
	unwritten := r.console.flush()
	r.console.say("%s", s.verdict())
	var verdict error
	if !s.succeeded() {
		verdict = cli.ErrFailed
	}
	switch {
	case failure != nil:
		return fmt.Errorf("cannot clean up after execution %s: %w", x.Name(), failure)
	case errors.Is(unwritten, syscall.EPIPE):
		return cli.ErrFailed // whoever closed the pipe knows
	case errors.Is(unwritten, errUnread):
		return stop.reason(cli.ErrFailed) // whoever could not wait knows
	case unwritten != nil:
		return unwritten
	}
	return stop.reason(verdict)
}
