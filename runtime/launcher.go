package runtime

import (
	"context"
	"errors"
	"fmt"
	stdhttp "net/http"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/moby/profiles/seccomp"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/internal/undo"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
	"runnel/runtime/shim"
)

// Defaults of a launcher.
const (
	// defaultLogLimit bounds each of the two files of an instance's log.
	defaultLogLimit = 16 * contract.MiB
	// defaultKeepSlots is how many namespaces may wait for their next instance.
	defaultKeepSlots = 32
	// sweepTime bounds how long the removal of cgroups is tried.
	sweepTime = 30 * time.Second
	// dmiProductName tells a Google machine from others.
	dmiProductName = "/sys/class/dmi/id/product_name"
)

// Config says what a launcher works with.
type Config struct {
	// Dir is the launcher's directory, made if missing: logs, the shim's
	// state, the lock.
	Dir string
	// ShimBinary is the path of runnel-shim.
	ShimBinary string
	// Ephemeral ties the shim and every instance to this process. It must be
	// set: an instance that outlives its launcher is not taken over yet.
	Ephemeral bool
	// CgroupParent is the group under which all instances live; it belongs to
	// this launcher alone.
	CgroupParent string
	// Network attaches instances; it has been set up and stays the caller's.
	Network *rnet.Network
	// Metadata answers instances.
	Metadata *metadata.Handler
	// Resolver answers their DNS queries.
	Resolver *dns.Server
	// LogLimit bounds each of the two log files of an instance; 16 MiB if 0.
	LogLimit contract.Bytes
	// KeepSlots is how many unused network namespaces are kept; 32 if 0.
	KeepSlots int
}

// Launcher makes instances. It is safe for concurrent use.
type Launcher struct {
	cfg      Config
	network  *rnet.Network
	resolver *dns.Server
	metadata *stdhttp.Server
	host     *cgroups.Host
	facts    hostFacts
	filter   string // its name at the shim
	lock     *os.File
	process  *shim.Process
	client   *shim.Client
	slots    slots
	exits    exits
}

// Open starts a shim and connects to it. What an earlier launcher of the same
// directory and group left behind is ended and removed first. The caller must
// Close. Errors: ErrLocked.
func Open(cfg Config) (_ *Launcher, err error) {
	var done undo.Stack
	defer done.OnError(&err)
	l := &Launcher{
		cfg:      withDefaults(cfg),
		network:  cfg.Network,
		resolver: cfg.Resolver,
		metadata: metadata.NewServer(cfg.Metadata),
	}
	l.metadata.BaseContext = withSlot
	l.slots.keep = l.cfg.KeepSlots
	if err := l.prepareDir(&done); err != nil {
		return nil, err
	}
	if err := l.prepareHost(&done); err != nil {
		return nil, err
	}
	if err := l.spawn(&done); err != nil {
		return nil, err
	}
	done.Release()
	return l, nil
}

func withDefaults(cfg Config) Config {
	if cfg.LogLimit == 0 {
		cfg.LogLimit = defaultLogLimit
	}
	if cfg.KeepSlots == 0 {
		cfg.KeepSlots = defaultKeepSlots
	}
	return cfg
}

// prepareDir locks the directory and makes what goes into it.
func (l *Launcher) prepareDir(done *undo.Stack) (err error) {
	for _, d := range []string{l.cfg.Dir, l.shimDir(), l.LogDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	if l.lock, err = lock(filepath.Join(l.cfg.Dir, "lock")); err != nil {
		return err
	}
	done.Push(l.lock.Close)
	return nil
}

// prepareHost learns what the host offers and readies the cgroup parent.
func (l *Launcher) prepareHost(done *undo.Stack) (err error) {
	if l.host, err = cgroups.Detect(); err != nil {
		return err
	}
	if err := l.sweep(); err != nil {
		return err
	}
	done.Push(l.sweep) // Prepare may fail half-way
	if err := l.host.Prepare(l.cfg.CgroupParent); err != nil {
		return fmt.Errorf("prepare cgroups: %w", err)
	}
	l.facts = hostFacts{cgroups: l.host, cgroupParent: path.Clean(l.cfg.CgroupParent)}
	if l.facts.noFile, err = OpenFileLimit(); err != nil {
		return err
	}
	if l.facts.productName, err = l.writeProductName(); err != nil {
		return err
	}
	return nil
}

// writeProductName makes the file that stands for the machine's product name,
// where the machine has one to stand for.
func (l *Launcher) writeProductName() (string, error) {
	if _, err := os.Stat(dmiProductName); err != nil {
		return "", nil
	}
	file := filepath.Join(l.cfg.Dir, "product_name")
	return file, os.WriteFile(file, []byte(contract.ProductName+"\n"), 0o444)
}

// spawn starts the shim and connects.
func (l *Launcher) spawn(done *undo.Stack) (err error) {
	l.process, err = shim.Spawn(shim.SpawnConfig{Binary: l.cfg.ShimBinary, Dir: l.shimDir(), Lifeline: l.cfg.Ephemeral, Hold: l.lock})
	if err != nil {
		return err
	}
	done.Push(l.process.Close)
	defer func() {
		if errors.Is(err, ErrKeeperGone) {
			err = fmt.Errorf("%w: it says %q", err, l.process.LastWords())
		}
	}()
	l.client, err = shim.Dial(l.shimDir(), l.exits.deliver)
	if err != nil {
		return err
	}
	done.Push(l.client.Close)
	l.exits.lostWith(l.client.Done())
	if err := l.forgetOld(); err != nil {
		return err
	}
	return l.defineFilter()
}

// forgetOld acknowledges the exits that an earlier launcher never saw: nobody
// waits for them any more.
func (l *Launcher) forgetOld() error {
	ctx := context.Background()
	old, err := l.client.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range old {
		if err := l.client.Ack(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// defineFilter hands the shim docker's default system-call filter, which
// depends on the capabilities that containers have.
func (l *Launcher) defineFilter() error {
	profile, err := seccomp.GetDefaultProfile(ociSpec(&Spec{Image: new(rimage.Image)}, &l.facts))
	if err != nil {
		return fmt.Errorf("build system-call filter: %w", err)
	}
	l.filter, err = l.client.DefineFilter(context.Background(), profile)
	return err
}

// Close ends every instance of an ephemeral launcher, and gives back all that
// the launcher held on the host.
func (l *Launcher) Close() error {
	errs := []error{l.client.Close(), l.process.Close(), l.slots.drain()}
	errs = append(errs, l.metadata.Close())
	if l.cfg.Ephemeral {
		errs = append(errs, l.sweep())
	}
	return errors.Join(append(errs, l.lock.Close())...)
}

// sweep ends and removes whatever lives under the cgroup parent, and the
// groups above it that nobody else uses.
func (l *Launcher) sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTime)
	defer cancel()
	if err := l.host.Sweep(ctx, l.cfg.CgroupParent); err != nil {
		return fmt.Errorf("sweep cgroups: %w", err)
	}
	if above := path.Dir(l.cfg.CgroupParent); above != "/" {
		return l.host.RemoveEmpty(above)
	}
	return nil
}

// OpenFiles is the limit of open files that instances get; less than
// contract.NoFile only where the host forbids it.
func (l *Launcher) OpenFiles() uint64 { return l.facts.noFile }

// LogDir holds the instances' log files, named by LogPath.
func (l *Launcher) LogDir() string { return filepath.Join(l.cfg.Dir, "logs") }

// LogPath is the log file of the instance with the given ID; it exists once the
// instance has printed something, and stays when the instance is deleted.
func (l *Launcher) LogPath(id string) string { return filepath.Join(l.LogDir(), id+".log") }

func (l *Launcher) shimDir() string { return filepath.Join(l.cfg.Dir, "shim") }
