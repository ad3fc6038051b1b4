package serving

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"runnel/probe"
)

// at is the instance with that address.
func (w *world) at(addr netip.Addr) (b *body) {
	w.look(func() {
		for _, other := range w.made {
			if other.addr == addr {
				b = other
			}
		}
	})
	return b
}

// place is the container of b that listens on a port: those of a test listen on
// 8080 and what follows, in their order.
func place(port int) int { return max(0, port-8080) }

// listens stands for probe.Listening.
func (w *world) listens(ctx context.Context, addr netip.AddrPort) error {
	b := w.at(addr.Addr())
	for {
		select {
		case <-b.listening[place(int(addr.Port()))]:
			if !isOver(b.ended) {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// asks stands for probe.Check.Do.
func (w *world) asks(_ context.Context, c probe.Check, addr netip.Addr) (err error) {
	b := w.at(addr)
	w.look(func() {
		n := place(c.Port)
		switch {
		case !b.isListening(n):
			err = errors.New("connection refused")
		case c.Kind != probe.TCP && b.script.answer != nil:
			err = b.script.answer(time.Since(b.began[n]))
		}
		if b.cpu[0] == 0 {
			w.t.Errorf("%s is asked while it has no CPU", b.spec.ID)
		}
	})
	return err
}
