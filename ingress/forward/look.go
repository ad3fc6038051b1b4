package forward

import (
	"io"
	"net"
	"os"
	"syscall"
)

// look tells of an idle connection whether the instance has closed it, and of
// one in use when there is nothing to read.
type look struct {
	raw syscall.RawConn
	// read is l.once, take l.taking, made one time only.
	read, take func(fd uintptr) bool
	// still is what once has found.
	still bool

	// before is called before a read that has to wait; nil for nothing.
	before func()
	// p is where taking reads to, n and err what it has come to.
	p   []byte
	n   int
	err error
}

func newLook(c *net.TCPConn) (*look, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := &look{raw: raw}
	l.read, l.take = l.once, l.taking
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

// Read reads as the connection does.
func (l *look) Read(p []byte) (int, error) {
	l.p = p
	err := l.raw.Read(l.take)
	l.p = nil
	switch {
	case err != nil:
		return 0, err
	case l.err != nil:
		return 0, os.NewSyscallError("read", l.err)
	case l.n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return l.n, nil
}

// taking reads what there is. What it returns says that it need not be called
// again when there is more.
func (l *look) taking(fd uintptr) bool {
	for {
		l.n, l.err = syscall.Read(int(fd), l.p)
		if l.err != syscall.EINTR {
			break
		}
	}
	if l.err != syscall.EAGAIN {
		return true
	}
	if l.before != nil {
		l.before()
	}
	return false
}
