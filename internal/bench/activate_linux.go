package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// connected waits until somebody has connected to a listening socket, and leaves
// the connection to be accepted by others.
func connected(socket *os.File) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(fd uintptr) {
		for failure = unix.EINTR; errors.Is(failure, unix.EINTR); {
			_, failure = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		}
	})
	return errors.Join(err, failure)
}
