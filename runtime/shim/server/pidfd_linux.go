package server

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openPidfd opens a handle on a child that has not been reaped, so that the
// number cannot have been given to another process.
func openPidfd(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("open pidfd of %d: %w", pid, err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// awaitPidfd blocks until the process has ended. It waits in Go's poller, so
// that a thousand containers do not take a thousand threads; reaping is left to
// the caller.
func awaitPidfd(pidfd *os.File) {
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return
	}
	ended := func(fd uintptr) bool {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		return err != unix.EINTR && (err != nil && err != unix.EAGAIN || info.Signo != 0)
	}
	_ = raw.Read(ended) // fails only once the descriptor is closed, after the end
}
