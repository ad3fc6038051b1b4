package runtime

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockPause is how often a lock that is held is tried.
const lockPause = 50 * time.Millisecond

// lock takes the file at path for this process, and those that inherit it, until
// the last of them has closed it or ended. If it is held it is tried for as long
// as patience lasts. Errors: ErrLocked.
func lock(path string, patience time.Duration) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(patience)
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		if !time.Now().Before(deadline) {
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
