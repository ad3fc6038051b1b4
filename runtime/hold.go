package runtime

import (
	"context"
	"errors"
	stdnet "net"
	"os"
	"sync"
	"syscall"
)

// heldPrefix makes a name that no instance has.
const heldPrefix = "launcher/"

// holds is what every shim of the launcher keeps, by name.
type holds struct {
	// mu guards kept, and is held while a shim is told of a change.
	mu   sync.Mutex
	kept map[string][]syscall.Conn
}

// Hold has the shim keep descriptors under a name for the next launcher, such as
// the daemon's listening sockets, in place of what it keeps there, and each shim
// that takes its place too. They stay the caller's, and open until Drop: one that
// is closed is not given to another shim. They are kept until Drop or until the
// last shim ends: a durable launcher that is closed while it is idle ends it, and
// one that was killed has kept nothing.
func (l *Launcher) Hold(ctx context.Context, name string, conns ...syscall.Conn) error {
	k, err := l.keepers.get(ctx)
	if err != nil {
		return err
	}
	h := &l.holds
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := k.client.Hold(ctx, heldPrefix+name, conns...); err != nil {
		return l.lost(err)
	}
	if h.kept == nil {
		h.kept = map[string][]syscall.Conn{}
	}
	h.kept[name] = conns
	return nil
}

// hand has another shim keep what the last one did.
func (h *holds) hand(k *keeper) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, conns := range h.kept {
		err := k.client.Hold(ctx, heldPrefix+name, conns...)
		if err != nil && !errors.Is(err, stdnet.ErrClosed) {
			return err
		}
	}
	return nil
}

// Held returns what is kept under a name, as descriptors of the caller's own, in
// the order of Hold; none if nothing is.
func (l *Launcher) Held(ctx context.Context, name string) ([]*os.File, error) {
	k, err := l.keepers.get(ctx)
	if err != nil {
		return nil, err
	}
	files, err := k.client.Fetch(ctx, heldPrefix+name)
	return files, l.lost(err)
}

// Drop has the shim close what it keeps under a name. Nothing there is no error.
func (l *Launcher) Drop(ctx context.Context, name string) error {
	k, err := l.keepers.get(ctx)
	if err != nil {
		return err
	}
	h := &l.holds
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.kept, name)
	return l.lost(k.client.Drop(ctx, heldPrefix+name))
}
