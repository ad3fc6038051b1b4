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

// hasEnded reports whether the process of a pidfd has ended; reaping is left to
// the caller.
func hasEnded(fd uintptr) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != unix.EINTR && (err != nil && err != unix.EAGAIN || info.Signo != 0)
}

// awaitPidfd blocks until the process has ended. It waits in Go's poller, so
// that a thousand containers do not take a thousand threads.
func awaitPidfd(pidfd *os.File) {
	if raw, err := pidfd.SyscallConn(); err == nil {
		_ = raw.Read(hasEnded) // fails only once the descriptor is closed, after the end
	}
}

// endedPidfd reports whether the process has ended.
func endedPidfd(pidfd *os.File) (ended bool) {
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) { ended = hasEnded(fd) })
	return ended || err != nil
}

// signalPidfd sends sig to the process, and to no other: the descriptor cannot
// be closed, and its number given to another, while it does.
func signalPidfd(pidfd *os.File, sig unix.Signal) error {
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return os.ErrClosed
	}
	return sent
}
