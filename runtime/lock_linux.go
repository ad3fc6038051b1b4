package runtime

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How long, and how often, a lock that is held is tried: a shim whose daemon has
// been killed holds it on until it has ended its instances.
const (
	lockTime  = 15 * time.Second
	lockPause = 50 * time.Millisecond
)

// lock takes the file at path for this process, and those that inherit it, until
// the last of them has closed it or ended.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lockTime)
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		if time.Now().After(deadline) {
			err = ErrLocked
			break
		}
		<-time.After(lockPause)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
