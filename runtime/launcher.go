package runtime

import (
	"context"
	"errors"
	"fmt"
	stdhttp "net/http"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/internal/undo"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
)

// Defaults of a launcher.
const (
	// defaultLogLimit bounds each of the two files of an instance's log.
	defaultLogLimit = 16 * contract.MiB
	// defaultKeepSlots is how many namespaces may wait for their next instance.
	defaultKeepSlots = 32
	// sweepTime bounds how long the removal of cgroups is tried.
	sweepTime = 30 * time.Second
	// lockTime is how long the directory is waited for: the shim of an ephemeral
	// launcher that was killed holds it until it has ended its instances.
	lockTime = 15 * time.Second
	// daemonTime is the same for a durable launcher: its shim does not hold the
	// directory, and a second daemon should hear soon that there is a first.
	daemonTime = 5 * time.Second
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
	// Ephemeral ties the shim and every instance to this process. Without it the
	// launcher is durable: the shim and the instances outlive the process,
	// however that ends, and the next launcher of Dir finds them where they were.
	Ephemeral bool
	// CgroupParent is the group under which all instances live; it belongs to
	// this launcher alone.
	CgroupParent string
	// Network attaches instances; it has been set up, or resumed, and stays the
	// caller's.
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
	// lock is the directory's; alone, which only an ephemeral launcher holds
	// itself, says that a durable shim lives in it.
	lock, alone *os.File
	keepers     keepers
	slots       slots
	holds       holds
	exits       exits
	survivors   survivors

	// stop ends the goroutine that replaces a durable launcher's shim, which
	// supervising counts.
	stop        context.CancelFunc
	supervising sync.WaitGroup
	// closed is set when a durable launcher lets go of instances that live on.
	closed atomic.Bool
}

// Open connects to the shim of the directory, or starts one. The caller must
// Close.
//
// An ephemeral launcher first ends and removes what an earlier one of the same
// directory and group left behind. A durable one finds what an earlier durable
// one left among its Survivors; if the shim has ended without its instances
// these are ended and removed, and only how others ended before is left to tell.
//
// Errors: ErrLocked, ErrProtocol.
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
	if err := l.learnHost(); err != nil {
		return nil, err
	}
	if l.cfg.Ephemeral {
		err = l.openEphemeral(&done)
	} else {
		err = l.openDurable()
	}
	if err != nil {
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
	patience := daemonTime
	if l.cfg.Ephemeral {
		patience = lockTime
	}
	if l.lock, err = lock(filepath.Join(l.cfg.Dir, "lock"), patience); err != nil {
		return err
	}
	done.Push(l.lock.Close)
	if !l.cfg.Ephemeral {
		return nil
	}
	if l.alone, err = lock(l.shimLock(), 0); err != nil {
		return err
	}
	done.Push(l.alone.Close)
	return nil
}

// learnHost finds out what the host offers.
func (l *Launcher) learnHost() (err error) {
	if l.host, err = cgroups.Detect(); err != nil {
		return err
	}
	l.facts = hostFacts{cgroups: l.host, cgroupParent: path.Clean(l.cfg.CgroupParent)}
	if l.facts.noFile, err = OpenFileLimit(); err != nil {
		return err
	}
	if l.facts.throttles, err = filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle"); err != nil {
		return err
	}
	l.facts.productName, err = l.writeProductName()
	return err
}

// writeProductName makes the file that stands for the machine's product name,
// where the machine has one to stand for.
func (l *Launcher) writeProductName() (string, error) {
	if _, err := os.Stat(dmiProductName); err != nil {
		return "", nil
	}
	file := filepath.Join(l.cfg.Dir, "product_name")
	if err := os.WriteFile(file, []byte(contract.ProductName+"\n"), 0o444); err != nil {
		return "", err
	}
	return file, nil
}

// Close lets go of everything. An ephemeral launcher ends every instance of its,
// and gives back all that it held on the host.
//
// The instances of a durable one live on, and so does the shim that keeps them;
// the launcher then has the network leave them connected (see
// rnet.Network.Leave), if the caller has not, so that closing the network
// afterwards does them no harm. If it is Idle the shim is ended and nothing is
// left. A second Close of a durable launcher does nothing.
func (l *Launcher) Close() error {
	if !l.cfg.Ephemeral {
		return l.closeDurable()
	}
	k, err := l.keepers.get(context.Background()) // the one there ever was
	if err != nil {
		return err
	}
	l.exits.letGo()
	return errors.Join(k.client.Close(), k.process.Close(), l.slots.drain(), l.metadata.Close(),
		l.sweep(), l.alone.Close(), l.lock.Close())
}

// Idle reports whether there is no instance: none created and not deleted, and no
// survivor.
func (l *Launcher) Idle() bool { return l.exits.none() }

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

// LogPath is the log file of the container with the given ID, see ContainerID; it
// exists once the container has printed something, and stays when the instance is
// deleted.
func (l *Launcher) LogPath(id string) string { return filepath.Join(l.LogDir(), id+".log") }

func (l *Launcher) shimDir() string { return filepath.Join(l.cfg.Dir, "shim") }

// shimLock is held by a durable shim for as long as it lives.
func (l *Launcher) shimLock() string { return filepath.Join(l.shimDir(), "lock") }
