package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"runnel/api/wire"
	"runnel/cmd/runnel/machine"
	"runnel/contract"
	"runnel/control"
	"runnel/ingress"
	"runnel/internal/undo"
	"runnel/logs"
	"runnel/logs/servicelog"
	"runnel/scheduler"
	"runnel/scheduler/serving"
	"runnel/store"
)

// shutdownTime is how long calls under way may take when the daemon stops.
const shutdownTime = 5 * time.Second

// Daemon is a running daemon.
type Daemon struct {
	cfg       Config
	log       *slog.Logger
	root      *machine.Root
	store     *store.Store
	machine   *machine.Machine
	scheduler *scheduler.Scheduler
	logs      *logs.Logs
	// told keeps what there is to say about services.
	told     *servicelog.Writer
	control  *control.Control
	fleet    *serving.Fleet
	requests *ingress.Server
	server   *wire.Server
	token    string
	// doors are where services take requests.
	doors []*door
	// listeners are open from the beginning, so that an address in use is told
	// before anything is touched; nobody is answered before all is ready.
	listeners []net.Listener
	// steps take down what Open has set up.
	steps undo.Stack
}

// Open brings the daemon up, takes over what an earlier one left running, and
// goes on with its executions. The caller must Close it. cfg has been validated.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (_ *Daemon, err error) {
	if os.Geteuid() != 0 {
		return nil, machine.ErrNotRoot
	}
	d := &Daemon{cfg: cfg, log: log}
	defer d.steps.OnError(&err)
	for _, step := range []func(context.Context) error{
		d.openRoot, d.openStore, d.listen, d.openMachine, d.openServiceLog, d.openIngress, d.openControl, d.openLogs, d.openServer,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Daemon) openRoot(ctx context.Context) (err error) {
	d.root, err = machine.OpenRoot(ctx, d.cfg.Root, d.warn)
	return err
}

// openStore comes before anything that an earlier daemon may still use: its
// lock is what keeps two daemons from one root.
func (d *Daemon) openStore(context.Context) (err error) {
	d.store, err = store.Open(d.root.Records())
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("%s is in use by another daemon: stop it, or give this one a --root of its own", d.root.Dir)
	}
	if err != nil {
		return fmt.Errorf("cannot open the database: %w", err)
	}
	d.steps.Push(d.store.Close)
	if r := d.store.Recovery(); r != nil {
		d.log.Error("database was damaged, its newest whole state is used", "reason", r.Reason, "kept", r.Kept)
	}
	return nil
}

// listen opens the sockets.
func (d *Daemon) listen(ctx context.Context) error {
	if d.cfg.API != "" {
		l, err := listenTCP(ctx, d.cfg.API, "--api")
		if err != nil {
			return err
		}
		d.keep(l)
	}
	if d.cfg.Socket != "" {
		l, err := listenUnix(d.cfg.Socket, d.cfg.SocketGroup)
		if err != nil {
			return err
		}
		d.keep(l)
	}
	return nil
}

func (d *Daemon) keep(l net.Listener) {
	d.listeners = append(d.listeners, l)
	d.push(l)
}

// push has Close close a listener.
func (d *Daemon) push(l net.Listener) {
	d.steps.Push(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) { // the server has closed it
			return err
		}
		return nil
	})
}

func (d *Daemon) openMachine(ctx context.Context) (err error) {
	limit, err := contract.ParseBytes(d.cfg.Logs.PerInstance)
	if err != nil {
		return err
	}
	d.machine, err = machine.Open(ctx, machine.Config{
		Root: d.root, Durable: true, EndOnClose: d.cfg.Ephemeral, LogLimit: limit, Warn: d.warn,
		Doors: d.cfg.Ingress.ports(), Domains: d.cfg.Ingress.domains(), TrustedHosts: d.cfg.Images.TrustedHosts,
	})
	if err != nil {
		return err
	}
	d.steps.Push(d.machine.Close)
	return nil
}

// openServiceLog begins to keep what there is to say about services. What says it
// goes before it.
func (d *Daemon) openServiceLog(ctx context.Context) error {
	limit, err := contract.ParseBytes(d.cfg.Logs.PerInstance)
	if err != nil {
		return err
	}
	d.told = servicelog.New(d.machine.Launcher.LogDir(), int64(limit))
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeping sync.WaitGroup
	keeping.Go(func() { d.told.Run(ctx) })
	d.steps.Push(func() error {
		stop()
		keeping.Wait()
		return nil
	})
	return nil
}

// openLogs keeps the logs of all instances within their bound from now on.
func (d *Daemon) openLogs(ctx context.Context) error {
	total, err := contract.ParseBytes(d.cfg.Logs.Total)
	if err != nil {
		return err
	}
	d.logs = logs.New(d.control, d.machine.Launcher.LogDir())
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeping sync.WaitGroup
	keeping.Go(func() { d.logs.Keep(ctx, int64(total), d.logsSwept) })
	d.steps.Push(func() error {
		stop()
		keeping.Wait()
		return nil
	})
	return nil
}

// logsSwept tells of logs that had to go.
func (d *Daemon) logsSwept(s logs.Swept, err error) {
	if err != nil {
		d.log.Error("logs cannot be kept within their bound", "err", err)
	}
	if s.Instances > 0 {
		d.log.Warn("the oldest logs are removed", "instances", s.Instances, "bytes", s.Bytes, "left", s.Left)
	}
}

func (d *Daemon) warn(text string) { d.log.Warn(text) }
