package net

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"

	"runnel/internal/undo"
)

// stepFunc runs one named step of a longer operation.
type stepFunc func(name string, do func() error) error

// step is a part of a longer operation, and what takes it back; undo may be nil.
type step struct {
	name     string
	do, undo func() error
}

// runSteps runs the steps up to the first that fails, and pushes what takes
// back those before it.
func runSteps(u *undo.Stack, run stepFunc, steps []step) error {
	for _, s := range steps {
		if err := run(s.name, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if s.undo != nil {
			u.Push(s.undo)
		}
	}
	return nil
}

// setUp brings a network up, or leaves the host as it was but for the sweep. If
// resume is set and instances are attached, it takes over what is there.
func setUp(c Config, resume bool, run stepFunc) (_ *state, err error) {
	var u undo.Stack
	defer u.OnError(&err)
	s := &state{plan: Plan{Name: c.Name, Doors: c.Doors}, inherited: newInheritance()}
	if err := runSteps(&u, run, s.opening()); err != nil {
		return nil, err
	}
	if resume {
		look := step{"look for attached instances", func() error { return s.inherit(c.Subnet) }, nil}
		if err := runSteps(&u, run, []step{look}); err != nil {
			return nil, err
		}
	}
	inherited := s.inherited.addrs()
	rest := s.takeOver()
	if len(inherited) == 0 {
		rest = s.makeAnew(c.Subnet)
	}
	if err := runSteps(&u, run, rest); err != nil {
		return nil, err
	}
	s.pool = newPool(s.plan.Subnet, MaxAttachments, inherited...)
	return s, nil
}

// opening are the steps that change nothing yet.
func (s *state) opening() []step {
	return []step{
		{"open netlink", s.open, s.release},
		{"read what an earlier process forwarded", func() (err error) {
			s.earlier, err = claims(s.plan.Table(), true)
			return err
		}, nil},
	}
}

// makeAnew are the steps that sweep what is there and make everything, in the
// wanted subnet.
func (s *state) makeAnew(wanted netip.Prefix) []step {
	stop := func() error { return s.stopForwarding(s.plan.Uplinks) }
	return []step{
		{"sweep", s.deleteLinks, nil},
		{"make the bridge", func() error { return s.makeBridge(wanted) }, s.deleteLinks},
		{"choose the uplinks", s.chooseUplinks, nil},
		{"make the rules", s.writeRules, func() error { return deleteTables(s.plan.Table()) }},
		{"forward", func() error { return s.startForwarding(stop) }, stop},
	}
}

// writeRules puts the plan's tables in place of what is there.
func (s *state) writeRules() error { return replaceTables(s.plan.tables()) }

// tearDown takes back what setUp did. The rules go last: while a link is there,
// so are its fences.
func (s *state) tearDown() error {
	err := errors.Join(
		s.stopForwarding(s.plan.Uplinks),
		s.deleteLinks(),
		deleteTables(s.plan.Table()),
		s.release(),
	)
	if err != nil {
		return fmt.Errorf("close network %s: %w", s.plan.Name, err)
	}
	return nil
}

// open opens what the network needs for as long as it lives.
func (s *state) open() (err error) {
	if s.home, err = currentNamespace(); err != nil {
		return err
	}
	if s.netlink, err = openRTNetlink(); err != nil {
		return errors.Join(err, s.home.Close())
	}
	if s.conntrack, err = openConntrack(); err != nil {
		s.netlink.close()
		return errors.Join(err, s.home.Close())
	}
	s.reaper = &reaper{netlink: s.netlink, group: s.plan.dyingGroup()}
	return nil
}

func (s *state) release() error {
	s.conntrack.close()
	s.netlink.close()
	return s.home.Close()
}

// deleteLinks deletes the bridge and all ports of this name, whoever made them.
func (s *state) deleteLinks() error {
	links, err := s.ownLinks()
	if err != nil {
		return err
	}
	var doomed []int
	for _, l := range links {
		doomed = append(doomed, l.Attrs().Index)
	}
	return s.reaper.deleteAll(doomed)
}

// ownLinks lists the bridge and all ports of this name, whoever made them.
func (s *state) ownLinks() ([]netlink.Link, error) {
	all, err := dump(s.netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	return slices.DeleteFunc(all, func(l netlink.Link) bool {
		name := l.Attrs().Name
		return name != s.plan.Bridge() && !strings.HasPrefix(name, s.plan.portPrefix())
	}), nil
}

// dumpAttempts bounds how often a listing that the kernel calls inconsistent,
// because something changed meanwhile, is asked for again.
const dumpAttempts = 10

func dump[T any](list func() ([]T, error)) (all []T, err error) {
	for range dumpAttempts {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}
