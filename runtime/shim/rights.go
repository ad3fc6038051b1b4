package shim

import (
	"fmt"
	"os"
	"syscall"
)

// maxFiles bounds the descriptors beside one message; the kernel takes no more
// than 253.
const maxFiles = 64

// withFDs calls do with the descriptors of files, none of which can be closed
// while it runs. Asking a file for its descriptor in this way leaves it, and
// whatever shares its description, in the mode that it is in.
func withFDs(files []syscall.Conn, fds []int, do func(fds []int)) error {
	if len(files) == 0 {
		do(fds)
		return nil
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = withFDs(files[1:], append(fds, int(fd)), do) }); err != nil {
		return err
	}
	return inner
}

// keepRights queues the descriptors of a control message. The kernel hands over
// those of one message at a time, and cuts off those that the process may not
// open.
func (c *Conn) keepRights(oob []byte, flags int) error {
	scms, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("parse control message: %w", err)
	}
	var files []*os.File
	for _, scm := range scms {
		fds, err := syscall.ParseUnixRights(&scm)
		if err != nil {
			return fmt.Errorf("parse descriptors: %w", err)
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	if len(files) > 0 || flags&syscall.MSG_CTRUNC != 0 {
		c.rights = append(c.rights, files)
	}
	return nil
}

// takeRights returns the n descriptors of the message that has just been read,
// nil in place of each that was cut off.
func (c *Conn) takeRights(n int) ([]*os.File, error) {
	if n == 0 {
		return nil, nil
	}
	if n < 0 || n > maxFiles || len(c.rights) == 0 || len(c.rights[0]) > n {
		return nil, fmt.Errorf("message announces %d descriptors, others came", n)
	}
	files := make([]*os.File, n)
	copy(files, c.rights[0])
	c.rights = c.rights[1:]
	return files, nil
}

// discard closes the descriptors that came without the rest of their message.
func (c *Conn) discard() {
	for _, files := range c.rights {
		closeFiles(files)
	}
	c.rights = nil
}

// closeFiles closes what came with a message and is not wanted; nil stands for
// one that was cut off.
func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing was written; nil only says so
	}
}
