package forward

import (
	"net"
	"syscall"
)

// look tells of an idle connection whether the instance has closed it.
type look struct {
	raw syscall.RawConn
	// read is l.once, made one time only.
	read func(fd uintptr) bool
	// still is what once has found.
	still bool
}

func newLook(c *net.TCPConn) (*look, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := &look{raw: raw}
	l.read = l.once
	return l, nil
}

// quiet reports whether nothing has come, neither a byte nor the end: there is
// no answer yet that a byte could belong to, so a connection with one is of no
// use either.
func (l *look) quiet() bool {
	return l.raw.Read(l.read) == nil && l.still
}

// once reads without waiting.
func (l *look) once(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	l.still = err == syscall.EAGAIN
	return true
}
