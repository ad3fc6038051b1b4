package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/machine"
	rimage "runnel/image"
	"runnel/internal/undo"
	"runnel/runtime/logfile"
	"runnel/runtime/logfile/tail"
	"runnel/scheduler"
)

// localHost is this machine, for one run.
type localHost struct {
	machine   *machine.Machine
	logs      *tail.Tailer
	scheduler *scheduler.Scheduler
	// steps take down what openHost has set up.
	steps undo.Stack
}

// openHost brings up this machine. The caller must Close it.
func openHost(ctx context.Context, cfg hostConfig) (_ host, err error) {
	if os.Geteuid() != 0 {
		return nil, machine.ErrNotRoot // before anything is made
	}
	h := new(localHost)
	defer h.steps.OnError(&err)
	root, err := machine.OpenRoot(ctx, cfg.Root, cfg.Warn)
	if err != nil {
		return nil, err
	}
	h.steps.Push(root.Close)
	if h.machine, err = machine.Open(ctx, machine.Config{Root: root, TrustedHosts: cfg.TrustedHosts, Warn: cfg.Warn}); err != nil {
		return nil, err
	}
	h.steps.Push(h.machine.Close)
	if err := removeOldLogs(h.logDir(), root.Records()); err != nil {
		return nil, fmt.Errorf("cannot remove the logs of an earlier run: %w", err)
	}
	if h.logs, err = tail.Open(h.logDir()); err != nil {
		return nil, fmt.Errorf("cannot follow logs: %w", err)
	}
	h.steps.Push(h.logs.Close)
	capacity, err := machine.Capacity(root)
	if err != nil {
		return nil, err
	}
	h.scheduler = scheduler.New(scheduler.Config{
		Create:         h.machine.Create,
		Budget:         scheduler.NewBudget(capacity),
		Observe:        cfg.Observe,
		ProjectID:      cfg.ProjectID,
		ProjectNumber:  func(string) string { return cfg.ProjectNumber },
		Region:         cfg.Region,
		ServiceAccount: cfg.ServiceAccount,
	})
	return h, nil
}

func (h *localHost) logDir() string { return h.machine.Launcher.LogDir() }

// Check is host.Check.
func (h *localHost) Check(job *runpb.Job) error { return h.scheduler.Check(job) }

// Pull is host.Pull.
func (h *localHost) Pull(ctx context.Context, reference string, progress func(rimage.Progress)) (*rimage.Image, error) {
	return h.machine.Images.Pull(ctx, reference, rimage.PullOptions{Progress: progress})
}

// Execute is host.Execute.
func (h *localHost) Execute(ctx context.Context, job *runpb.Job, img *rimage.Image) (execution, error) {
	x, err := h.scheduler.Execute(ctx, job, img)
	if err != nil {
		return nil, err // not x: a nil *Execution is no nil execution
	}
	return x, nil
}

// Follow is host.Follow. The log is removed once it has been read: ten thousand
// tasks must not fill the disk with what has been shown already.
func (h *localHost) Follow(ctx context.Context, instance string, ended <-chan struct{}, emit func(logfile.Entry)) error {
	if err := h.logs.Follow(ctx, instance, ended, emit); err != nil {
		return err
	}
	path := logfile.Path(h.logDir(), instance)
	for _, file := range []string{logfile.Old(path), path} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close is host.Close.
func (h *localHost) Close() error {
	h.scheduler.Wait()
	return h.steps.Run()
}
