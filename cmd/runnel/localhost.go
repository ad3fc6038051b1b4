package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/internal/undo"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
	rruntime "runnel/runtime"
	"runnel/runtime/logfile"
	"runnel/runtime/logfile/tail"
	"runnel/scheduler"
)

// localHost is this machine: all mechanisms under one root, wired together.
type localHost struct {
	images    *rimage.Store
	logs      *tail.Tailer
	logDir    string
	scheduler *scheduler.Scheduler
	// steps take down what openHost has set up.
	steps undo.Stack
}

// openHost brings up this machine. The caller must Close it.
func openHost(ctx context.Context, cfg hostConfig) (_ host, err error) {
	if os.Geteuid() != 0 {
		return nil, errNotRoot
	}
	shim, err := findShim()
	if err != nil {
		return nil, err
	}
	h := new(localHost)
	defer h.steps.OnError(&err)
	root, err := openRoot(ctx, cfg.Root, cfg.Warn)
	if err != nil {
		return nil, err
	}
	h.steps.Push(root.close)
	h.images, err = rimage.Open(rimage.StoreConfig{Dir: filepath.Join(root.dir, "images")})
	if errors.Is(err, rimage.ErrLocked) {
		return nil, fmt.Errorf("%s is in use by another runnel: wait for it, or give this run a --root of its own", root.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the image store: %w", err)
	}
	h.steps.Push(h.images.Close)
	launcher, err := h.openLauncher(ctx, root, shim)
	if err != nil {
		return nil, err
	}
	if got := launcher.OpenFiles(); got < contract.NoFile {
		cfg.Warn(fmt.Sprintf("instances may open %d files, not %d: this host forbids more (see runnel doctor)", got, contract.NoFile))
	}
	h.logDir = launcher.LogDir()
	if err := removeOldLogs(h.logDir); err != nil {
		return nil, fmt.Errorf("cannot remove the logs of an earlier run: %w", err)
	}
	if h.logs, err = tail.Open(h.logDir); err != nil {
		return nil, fmt.Errorf("cannot follow logs: %w", err)
	}
	h.steps.Push(h.logs.Close)
	capacity, err := hostCapacity()
	if err != nil {
		return nil, err
	}
	h.scheduler = scheduler.New(scheduler.Config{
		Create: func(ctx context.Context, spec rruntime.Spec) (scheduler.Instance, error) {
			i, err := launcher.Create(ctx, spec)
			if err != nil {
				return nil, err // not i: a nil *Instance is no nil Instance
			}
			return i, nil
		},
		Budget:         scheduler.NewBudget(capacity),
		Observe:        cfg.Observe,
		ProjectID:      cfg.ProjectID,
		ProjectNumber:  cfg.ProjectNumber,
		Region:         cfg.Region,
		ServiceAccount: cfg.ServiceAccount,
	})
	return h, nil
}

// openLauncher sets up the network and the metadata server, and starts the
// shim.
func (h *localHost) openLauncher(ctx context.Context, root *root, shim string) (*rruntime.Launcher, error) {
	network := rnet.New(rnet.Config{Name: root.name})
	if err := network.Setup(ctx); err != nil {
		return nil, fmt.Errorf("cannot set up the network: %w", err)
	}
	h.steps.Push(network.Close)
	signer, err := metadata.LoadOrCreateSigner(filepath.Join(root.dir, "metadata-key.pem"))
	if err != nil {
		return nil, fmt.Errorf("cannot make the key of the metadata server: %w", err)
	}
	launcher, err := rruntime.Open(rruntime.Config{
		Dir:          root.dir,
		ShimBinary:   shim,
		Ephemeral:    true,
		CgroupParent: root.cgroup(),
		Network:      network,
		Metadata:     metadata.New(metadata.Config{Tokens: signer}),
		Resolver:     newResolver(),
	})
	if err != nil {
		return nil, fmt.Errorf("cannot start the shim: %w", err)
	}
	h.steps.Push(launcher.Close)
	return launcher, nil
}

// newResolver answers instances from the host's own resolvers, and the metadata
// server's name by itself.
func newResolver() *dns.Server {
	address := netip.MustParseAddr(contract.MetadataAddress)
	return dns.New(dns.Config{
		ResolvConf: "/etc/resolv.conf",
		Hosts:      map[string]netip.Addr{contract.MetadataHost: address},
	})
}

// Check is host.Check.
func (h *localHost) Check(job *runpb.Job) error { return h.scheduler.Check(job) }

// Pull is host.Pull.
func (h *localHost) Pull(ctx context.Context, reference string, progress func(rimage.Progress)) (*rimage.Image, error) {
	return h.images.Pull(ctx, reference, rimage.PullOptions{Progress: progress})
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
	path := logfile.Path(h.logDir, instance)
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
