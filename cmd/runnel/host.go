package main

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// hostConfig says which host an execution gets.
type hostConfig struct {
	// Root is the directory of images and state, kept on Close; a private one,
	// removed on Close, if empty.
	Root string
	// ProjectID, ProjectNumber, Region and ServiceAccount are what instances
	// learn from the metadata server.
	ProjectID, ProjectNumber, Region, ServiceAccount string
	// TrustedHosts are hosts to which a registry may send us, see
	// image.StoreConfig.
	TrustedHosts []string
	// Observe is told every change of an execution before it is acted upon.
	Observe func(scheduler.Event)
	// Warn is told, once each, what this host cannot give instances.
	Warn func(string)
}

// host is what "runnel run" needs of a Runnel root: a real one, or a test's.
type host interface {
	// Check says what keeps a valid job from being executed here, whatever its
	// image.
	Check(job *runpb.Job) error
	// Pull makes an image ready to run. It calls progress from several
	// goroutines.
	Pull(ctx context.Context, reference string, progress func(rimage.Progress)) (*rimage.Image, error)
	// Execute begins an execution of a valid job.
	Execute(ctx context.Context, job *runpb.Job, img *rimage.Image) (execution, error)
	// Follow hands on the log of an instance until ended is closed and the log
	// read to its end.
	Follow(ctx context.Context, instance string, ended <-chan struct{}, emit func(logfile.Entry)) error
	// Close takes everything down. Every execution must have ended.
	Close() error
}

// execution is a *scheduler.Execution, or a test's.
type execution interface {
	Name() string
	// Wait returns when every task has come to its end and every instance is
	// gone.
	Wait(ctx context.Context) (*runpb.Execution, error)
	// Cancel stops every task by the contract, Kill at once.
	Cancel()
	Kill()
}
