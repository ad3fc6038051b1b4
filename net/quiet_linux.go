package net

import (
	"errors"
	"io/fs"
	"os"
)

// Quiet reports whether the namespace is as good as new: that it holds no
// socket but the given number of them that were opened with Listen and
// ListenPacket and are still open, and nothing that lingers, such as a
// connection in TIME_WAIT. Then, and after Forget, another instance may be
// started in it.
//
// The kernel frees some sockets a moment after they are closed; until then
// Quiet says no.
func (a *Attachment) Quiet(listening int) (bool, error) {
	stat, err := a.sockets()
	if err != nil {
		return false, err
	}
	return stat.quiet(listening), nil
}

// sockets reads the namespace's counters.
func (a *Attachment) sockets() (sockstat, error) {
	stat := sockstat{}
	err := a.enter("read sockstat", func() error {
		for _, name := range []string{"sockstat", "sockstat6"} {
			text, err := os.ReadFile("/proc/thread-self/net/" + name)
			if errors.Is(err, fs.ErrNotExist) && name == "sockstat6" {
				continue // no IPv6, none of its sockets
			}
			if err != nil {
				return err
			}
			if err := stat.add(string(text)); err != nil {
				return err
			}
		}
		return stat.complete()
	})
	return stat, err
}
