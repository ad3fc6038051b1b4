package net

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
)

// Config describes a Network.
type Config struct {
	// Name tells the networks of one host apart: 1 to 7 lower-case letters or
	// digits, the same at every start of the same root. The bridge is called
	// "rnl" and the name, the tables "runnel-" and the name.
	Name string
	// Subnet holds the addresses of the instances: an IPv4 network between /16
	// and /28. If it is zero, Setup takes the first /16 of 100.64.0.0/10 that
	// overlaps no address and no route of the host. Resume may keep another.
	Subnet netip.Prefix
	// Doors are TCP ports of the gateway's address that instances may connect
	// to: all that they reach of this host. Whoever listens there listens to
	// every instance.
	Doors []uint16
}

// Validate returns all that is wrong with c, joined.
func (c Config) Validate() error { return check(c.Name, c.Subnet) }

// Network is the host's side of the instances' networking. Its methods are safe
// for concurrent use.
type Network struct {
	config Config

	mu    sync.RWMutex // guards state, and keeps it from going while held
	state *state       // nil unless set up

	// beforeStep is called before each step of a longer operation, and fails it:
	// how tests make every step fail in turn. Nil otherwise.
	beforeStep func(step string) error
}

// state is what a network that is set up holds.
type state struct {
	plan      Plan
	home      *os.File // the host's network namespace
	netlink   *rtnetlink
	conntrack *conntrack
	bridge    int // index of the bridge
	pool      *pool
	reaper    *reaper
	// inherited is what an earlier process attached and nobody has taken yet.
	inherited *inheritance
	// earlier are the links that an earlier process made forward, switched
	// those that this one did.
	earlier  map[string]bool
	switched []string
}

// New returns a network that is not set up yet.
func New(c Config) *Network { return &Network{config: c} }

// Subnet is the network that instances have their addresses in; the zero
// prefix unless the network is set up.
func (n *Network) Subnet() netip.Prefix {
	if s := n.current(); s != nil {
		return s.plan.Subnet
	}
	return netip.Prefix{}
}

// Gateway is the host's address in the subnet; the zero address unless the
// network is set up.
func (n *Network) Gateway() netip.Addr {
	if s := n.current(); s != nil {
		return s.plan.Gateway()
	}
	return netip.Addr{}
}

func (n *Network) current() *state {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.state
}

// Setup makes the bridge, the rules and the forwarding. What an earlier process
// left under this Name is removed first, instances' links included. On a
// network that is set up it does nothing. If it fails, the host is as it was,
// but for what was swept.
func (n *Network) Setup(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != nil {
		return nil
	}
	if err := n.setUp(ctx, false); err != nil {
		return fmt.Errorf("set up network %s: %w", n.config.Name, err)
	}
	return nil
}

// Resume is like Setup, but takes over what an earlier process of this Name has
// left while any instance is attached: the bridge, the subnet and the instances'
// links stay, and pass packets throughout. Rules and settings are made anew, so
// that the earlier process may have been of another make. The addresses of
// those instances are not lent until Reattach has been called for each that
// lives, and Prune for the rest.
//
// The subnet stays as well if Config asks for another; Subnet tells. Where no
// instance is attached, or the bridge is none that a Network could have made,
// Resume does the same as Setup. If it fails, no instance has lost anything, and
// it may be called again.
func (n *Network) Resume(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != nil {
		return nil
	}
	if err := n.setUp(ctx, true); err != nil {
		return fmt.Errorf("resume network %s: %w", n.config.Name, err)
	}
	return nil
}

// setUp does what Setup and Resume have in common. The caller holds mu.
func (n *Network) setUp(ctx context.Context, resume bool) error {
	if err := n.config.Validate(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s, err := setUp(n.config, resume, n.step)
	if err != nil {
		return err
	}
	n.state = s
	return nil
}

// Leave lets go of everything without touching the host, for Resume of another
// Network of this Name: instances stay attached and connected. Attachments of
// this one are of no more use then; their Close closes the descriptor of the
// namespace and nothing else. Setup or Resume may follow.
func (n *Network) Leave() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == nil {
		return nil
	}
	s := n.state
	n.state = nil
	if err := s.release(); err != nil {
		return fmt.Errorf("leave network %s: %w", n.config.Name, err)
	}
	return nil
}

// Close removes everything: links, also those of instances still attached,
// rules and forwarding, whichever process of this Name made them. See
// forwarding for what it leaves on. Setup or Resume may follow.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == nil {
		return nil
	}
	s := n.state
	n.state = nil
	return s.tearDown()
}

// step runs one step of a longer operation.
func (n *Network) step(name string, do func() error) error {
	if n.beforeStep != nil {
		if err := n.beforeStep(name); err != nil {
			return err
		}
	}
	return do()
}
