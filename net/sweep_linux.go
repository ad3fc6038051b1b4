package net

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Sweep removes what the network of a process that has died left on the host
// under the given name: links, tables, and the forwarding that they remember.
// See forwarding for what it leaves on. Where nothing is left it does nothing.
// A network of that name that is in use it takes down.
func Sweep(ctx context.Context, name string) error {
	if err := check(name, netip.Prefix{}); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := &state{plan: Plan{Name: name}}
	if err := s.open(); err != nil {
		return fmt.Errorf("sweep network %s: %w", name, err)
	}
	if err := s.recall(); err != nil {
		return fmt.Errorf("sweep network %s: %w", name, errors.Join(err, s.release()))
	}
	return s.tearDown()
}

// recall plans the uplinks that the network of this name remembers, so that
// tearDown sees to them.
func (s *state) recall() error {
	claimed, err := claims(s.plan.Table(), true)
	s.plan.Uplinks = slices.Sorted(maps.Keys(claimed))
	return err
}
