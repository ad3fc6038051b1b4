// Package machine brings up this host for instances: the root directory, the
// image store, the network, the metadata server, the shim. It wires mechanisms
// and decides nothing. It needs root.
package machine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/internal/undo"
	"runnel/metadata"
	rnet "runnel/net"
	"runnel/net/dns"
	rruntime "runnel/runtime"
	"runnel/scheduler"
	"runnel/scheduler/serving"
)

// ErrNotRoot says what is needed before anything else.
var ErrNotRoot = errors.New("cannot run containers without root: try sudo")

// Config says what machine is wanted.
type Config struct {
	// Root is where everything lives. It stays the caller's.
	Root *Root
	// Durable lets instances outlive this process: the next machine on the same
	// root finds them where they were.
	Durable bool
	// EndOnClose has Close end the instances of a durable machine.
	EndOnClose bool
	// LogLimit bounds each of the two log files of an instance; the launcher's
	// default if 0.
	LogLimit contract.Bytes
	// Doors are TCP ports at which instances reach this host, by the address
	// Gateway; names below one of Domains lead them there.
	Doors   []uint16
	Domains []string
	// TrustedHosts are the image store's, see image.StoreConfig.
	TrustedHosts []string
	// Warn is told, once each, what this host cannot give instances.
	Warn func(string)
}

// Machine is this host with everything an instance needs in place.
type Machine struct {
	// Images is the store of images of the root.
	Images *rimage.Store
	// Launcher makes instances.
	Launcher *rruntime.Launcher
	// Signer signs the tokens of the metadata server.
	Signer *metadata.Signer

	network *rnet.Network
	config  Config
	// occupied says that the root's instances are somebody else's.
	occupied bool
	// steps take down what Open has set up.
	steps undo.Stack
}

// Open brings up this host. The caller must Close the result. A root that
// somebody else uses is refused, with an error that says so.
func Open(ctx context.Context, cfg Config) (_ *Machine, err error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	shim, err := FindShim()
	if err != nil {
		return nil, err
	}
	m := &Machine{config: cfg}
	defer m.steps.OnError(&err)
	m.Images, err = rimage.Open(rimage.StoreConfig{Dir: filepath.Join(cfg.Root.Dir, "images"), TrustedHosts: cfg.TrustedHosts})
	if errors.Is(err, rimage.ErrLocked) {
		return nil, fmt.Errorf("%s is in use by another runnel: wait for it, or give this one a --root of its own", cfg.Root.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the image store: %w", err)
	}
	m.steps.Push(m.Images.Close)
	if err := m.openNetwork(ctx, cfg); err != nil {
		return nil, err
	}
	if err := m.openLauncher(cfg, shim); err != nil {
		return nil, err
	}
	if got := m.Launcher.OpenFiles(); got < contract.NoFile {
		cfg.Warn(fmt.Sprintf("instances may open %d files, not %d: this host forbids more (see runnel doctor)", got, contract.NoFile))
	}
	return m, nil
}

// openNetwork makes the instances' network, or takes over what lives of it.
func (m *Machine) openNetwork(ctx context.Context, cfg Config) error {
	m.network = rnet.New(rnet.Config{Name: cfg.Root.Name, Doors: cfg.Doors})
	// Even where everything is to end with this process: the launcher may yet
	// find that instances of a daemon live in the root, and then says so.
	if err := m.network.Resume(ctx); err != nil {
		return fmt.Errorf("cannot set up the network: %w", err)
	}
	m.steps.Push(m.closeNetwork)
	return nil
}

// openLauncher starts the shim, or connects to the one that lives.
func (m *Machine) openLauncher(cfg Config, shim string) error {
	var err error
	m.Signer, err = metadata.LoadOrCreateSigner(filepath.Join(cfg.Root.Dir, "metadata-key.pem"))
	if err != nil {
		return fmt.Errorf("cannot make the key of the metadata server: %w", err)
	}
	m.Launcher, err = rruntime.Open(rruntime.Config{
		Dir:          cfg.Root.Dir,
		ShimBinary:   shim,
		Ephemeral:    !cfg.Durable,
		CgroupParent: cfg.Root.Cgroup(),
		Network:      m.network,
		Metadata:     metadata.New(metadata.Config{Tokens: m.Signer}),
		Resolver:     m.newResolver(),
		LogLimit:     cfg.LogLimit,
	})
	if errors.Is(err, rruntime.ErrLocked) {
		m.occupied = true
		return fmt.Errorf("%s is in use: tasks of a daemon run there; start that again (runnel serve), or give this run a --root of its own", cfg.Root.Dir)
	}
	if err != nil {
		return fmt.Errorf("cannot start the shim: %w", err)
	}
	if cfg.Durable {
		return nil
	}
	return m.network.Prune(context.Background()) // of a run that was killed
}

// Create is scheduler.Create.
func (m *Machine) Create(ctx context.Context, spec rruntime.Spec) (scheduler.Instance, error) {
	i, err := m.Launcher.Create(ctx, spec)
	if err != nil {
		return nil, err // not i: a nil *Instance is no nil Instance
	}
	return i, nil
}

// CreateServing is serving.Config.Create.
func (m *Machine) CreateServing(ctx context.Context, spec rruntime.Spec) (serving.Instance, error) {
	i, err := m.Launcher.Create(ctx, spec)
	if err != nil {
		return nil, err // as above
	}
	return i, nil
}

// AdoptServing is serving.Config.Adopt.
func (m *Machine) AdoptServing(ctx context.Context, spec rruntime.Spec) (serving.Instance, error) {
	i, err := m.Launcher.Adopt(ctx, spec)
	if err != nil {
		return nil, err // as above
	}
	return i, nil
}

// Adopt is scheduler.Adopt.
func (m *Machine) Adopt(ctx context.Context, spec rruntime.Spec) (scheduler.Instance, error) {
	i, err := m.Launcher.Adopt(ctx, spec)
	if err != nil {
		return nil, err // as above
	}
	return i, nil
}

// EndSurvivors ends what an earlier machine left and nobody has adopted.
func (m *Machine) EndSurvivors(ctx context.Context) error {
	if err := m.Launcher.EndSurvivors(ctx); err != nil {
		return fmt.Errorf("cannot end what an earlier daemon left: %w", err)
	}
	if err := m.network.Prune(ctx); err != nil {
		return fmt.Errorf("cannot remove links that an earlier daemon left: %w", err)
	}
	return nil
}

// endTime bounds how long Close tries to end instances.
const endTime = time.Minute

// Close takes everything down, but for the instances of a durable machine and
// what these need: they go on, unless it is to end them.
func (m *Machine) Close() error {
	var err error
	if m.config.EndOnClose {
		ctx, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		err = m.Launcher.EndAll(ctx)
	}
	return errors.Join(err, m.steps.Run())
}

// closeNetwork takes the launcher and its network down, in the order that keeps
// living instances connected.
func (m *Machine) closeNetwork() error {
	switch {
	case m.Launcher == nil && (m.config.Durable || m.occupied):
		return m.network.Leave() // who lives there is not known
	case m.Launcher == nil:
		return m.network.Close()
	}
	// A launcher whose instances live on has the network leave them connected.
	return errors.Join(m.Launcher.Close(), m.network.Close())
}

// Gateway is the address at which instances reach this host's doors.
func (m *Machine) Gateway() netip.Addr { return m.network.Gateway() }

// newResolver answers instances from the host's own resolvers, and the names of
// the metadata server and of services by itself.
func (m *Machine) newResolver() *dns.Server {
	hosts := map[string]netip.Addr{contract.MetadataHost: netip.MustParseAddr(contract.MetadataAddress)}
	for _, domain := range m.config.Domains {
		hosts["*."+domain] = m.Gateway()
	}
	return dns.New(dns.Config{ResolvConf: "/etc/resolv.conf", Hosts: hosts})
}
