package net

import (
	"context"
	"errors"
	"fmt"
)

// Prune removes what Resume took over and nobody has reattached: links, host's
// neighbour entries, and what the host remembers of their connections. Their
// addresses are lent again. What cannot be removed is left to the next Prune. It
// returns ErrNotSetUp if there is no network.
func (n *Network) Prune(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.state == nil {
		return ErrNotSetUp
	}
	if err := n.prune(ctx, n.takeInherited()); err != nil {
		return fmt.Errorf("prune network %s: %w", n.config.Name, err)
	}
	return nil
}

// takeInherited takes over all that is left. The caller holds mu.
func (n *Network) takeInherited() (left []*Attachment) {
	s := n.state
	for _, addr := range s.inherited.addrs() {
		if port, ok := s.inherited.take(addr); ok { // not reattached meanwhile
			left = append(left, &Attachment{network: n, state: s, endpoint: s.plan.Endpoint(addr), port: port})
		}
	}
	return left
}

// prune removes the host's side of attachments. The links go first, all
// together, so that nothing is sent any more when the rest goes.
func (n *Network) prune(ctx context.Context, left []*Attachment) error {
	var ports []int
	for _, a := range left {
		if a.port != 0 {
			ports = append(ports, a.port)
		}
	}
	errs := []error{n.step("delete the links", func() error { return n.state.reaper.deleteAll(ports) })}
	for _, a := range left {
		if err := errors.Join(errs[0], context.Cause(ctx)); err != nil {
			a.leavePort()
			continue
		}
		if err := a.forgetAll(n.step); err != nil {
			a.leavePort()
			errs = append(errs, fmt.Errorf("%v: %w", a.endpoint.Addr, err))
		}
	}
	return errors.Join(append(errs, context.Cause(ctx))...)
}

// forgetAll removes what the host knows of an instance that has no link, and
// gives its address back.
func (a *Attachment) forgetAll(run stepFunc) error {
	err := errors.Join(
		run("delete the neighbour entry", a.deleteNeighbour),
		run("forget the connections", func() error { return a.state.conntrack.forget(a.endpoint.Addr) }),
	)
	if err == nil {
		a.state.pool.put(a.endpoint.Addr)
	}
	return err
}
