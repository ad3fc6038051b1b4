package runtime

import (
	"context"
	"os"
	"syscall"
)

// heldPrefix makes a name that no instance has.
const heldPrefix = "launcher/"

// Hold has the shim keep descriptors under a name for the next launcher, such as
// the daemon's listening sockets, in place of what it keeps there. They stay the
// caller's, and are kept until Drop or until the shim ends: a durable launcher
// that is closed while it is idle ends it, and one that was killed has kept
// nothing.
func (l *Launcher) Hold(ctx context.Context, name string, files ...*os.File) error {
	k, err := l.keepers.get(ctx)
	if err != nil {
		return err
	}
	conns := make([]syscall.Conn, len(files))
	for i, f := range files {
		conns[i] = f
	}
	return l.lost(k.client.Hold(ctx, heldPrefix+name, conns...))
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
	return l.lost(k.client.Drop(ctx, heldPrefix+name))
}
