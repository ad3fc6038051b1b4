package doctor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// netlinkTimeout bounds the wait for the kernel's answer, which comes at once.
const netlinkTimeout = 5 * time.Second

// message is one netlink request. The package speaks netlink itself, as plain
// bytes, where it asks the kernel what it can: that is two questions, and the
// libraries belong to the network.
type message struct{ payload []byte }

// attribute adds an attribute and pads it.
func (m *message) attribute(kind uint16, value []byte) {
	m.payload = binary.NativeEndian.AppendUint16(m.payload, uint16(4+len(value)))
	m.payload = binary.NativeEndian.AppendUint16(m.payload, kind)
	m.payload = append(m.payload, value...)
	for len(m.payload)%4 != 0 {
		m.payload = append(m.payload, 0)
	}
}

// ask sends one request of the given type to a netlink family, in the network
// namespace of the calling thread, and returns the kernel's verdict.
func (m *message) ask(family int, kind, flags uint16) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, family)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer unix.Close(fd)
	timeout := unix.NsecToTimeval(netlinkTimeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return fmt.Errorf("bound netlink: %w", err)
	}
	request := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(m.payload)))
	request = binary.NativeEndian.AppendUint16(request, kind)
	request = binary.NativeEndian.AppendUint16(request, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	request = append(request, make([]byte, 8)...) // sequence and port: one request, one socket
	request = append(request, m.payload...)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send to netlink: %w", err)
	}
	return verdict(fd)
}

// verdict reads answers up to the acknowledgement.
func verdict(fd int) error {
	buf := make([]byte, 16<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return fmt.Errorf("read from netlink: %w", err)
		}
		for rest := buf[:n]; len(rest) >= unix.NLMSG_HDRLEN; {
			size := int(binary.NativeEndian.Uint32(rest))
			if size < unix.NLMSG_HDRLEN || size > len(rest) {
				return errors.New("read from netlink: damaged answer")
			}
			if binary.NativeEndian.Uint16(rest[4:]) == unix.NLMSG_ERROR && size >= unix.NLMSG_HDRLEN+4 {
				return errnoOf(int32(binary.NativeEndian.Uint32(rest[unix.NLMSG_HDRLEN:])))
			}
			rest = rest[min(len(rest), (size+3)&^3):]
		}
	}
}

// errnoOf is the error of an acknowledgement, nil for 0.
func errnoOf(code int32) error {
	if code == 0 {
		return nil
	}
	return unix.Errno(-code)
}
