package net

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vishvananda/netlink"

	"runnel/internal/undo"
)

// stepFunc runs one named step of a longer operation.
type stepFunc func(name string, do func() error) error

// setUp brings a network up, or leaves the host as it was but for the sweep.
func setUp(c Config, run stepFunc) (_ *state, err error) {
	var u undo.Stack
	defer u.OnError(&err)
	s := &state{plan: Plan{Name: c.Name}}
	var earlier map[string]bool
	for _, step := range []struct {
		name string
		do   func() error
		undo func() error
	}{
		{"open netlink", s.open, s.release},
		{"read what an earlier process forwarded", func() (err error) { earlier, err = claims(s.plan.Table(), true); return }, nil},
		{"sweep", s.deleteLinks, nil},
		{"make the bridge", func() error { return s.makeBridge(c.Subnet) }, s.deleteLinks},
		{"choose the uplinks", func() error { return s.chooseUplinks(earlier) }, nil},
		{"make the rules", func() error { return replaceTables(s.plan.tables()) }, func() error { return deleteTables(s.plan.Table()) }},
		{"forward", s.startForwarding, s.stopForwarding},
	} {
		if err := run(step.name, step.do); err != nil {
			return nil, fmt.Errorf("set up network %s: %s: %w", c.Name, step.name, err)
		}
		if step.undo != nil {
			u.Push(step.undo)
		}
	}
	s.pool = newPool(s.plan.Subnet, MaxAttachments)
	return s, nil
}

// tearDown takes back what setUp did. The rules go last: while a link is there,
// so are its fences.
func (s *state) tearDown() error {
	err := errors.Join(
		s.stopForwarding(),
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
	links, err := dump(s.netlink.LinkList)
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	var doomed []*deletion
	for _, l := range links {
		if a := l.Attrs(); a.Name == s.plan.Bridge() || strings.HasPrefix(a.Name, s.plan.portPrefix()) {
			doomed = append(doomed, &deletion{index: a.Index})
		}
	}
	if len(doomed) == 0 {
		return nil
	}
	s.reaper.deleteAll(doomed)
	errs := make([]error, len(doomed))
	for i, d := range doomed {
		errs[i] = d.err
	}
	return errors.Join(errs...)
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
