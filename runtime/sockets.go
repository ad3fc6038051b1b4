package runtime

import (
	"fmt"
	stdnet "net"
	"os"
	"syscall"

	"runnel/contract"
	rnet "runnel/net"
)

// slotSockets is how many sockets a slot itself keeps open in its namespace:
// those of type sockets.
const slotSockets = 3

// sockets are where an instance finds the metadata server and the resolver,
// open in its namespace. They outlive the daemon when the shim holds them too:
// who calls meanwhile waits in the kernel's queue.
type sockets struct {
	metadata stdnet.Listener
	udp      stdnet.PacketConn
	tcp      stdnet.Listener
}

// listen opens the sockets of a namespace. The caller must serve or close them.
func listen(a *rnet.Attachment) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.metadata, err = a.Listen("tcp", contract.MetadataAddress+":80"); err != nil {
		return s, fmt.Errorf("listen for metadata: %w", err)
	}
	if s.udp, err = a.ListenPacket("udp", contract.MetadataAddress+":53"); err != nil {
		return s, fmt.Errorf("listen for the resolver: %w", err)
	}
	if s.tcp, err = a.Listen("tcp", contract.MetadataAddress+":53"); err != nil {
		return s, fmt.Errorf("listen for the resolver: %w", err)
	}
	return s, nil
}

// conns are the sockets in the order in which the shim holds them.
func (s *sockets) conns() []syscall.Conn {
	return []syscall.Conn{s.metadata.(syscall.Conn), s.udp.(syscall.Conn), s.tcp.(syscall.Conn)}
}

// inherit is the inverse of conns; files stay the caller's.
func inherit(files []*os.File) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("inherit sockets: %w", err)
		}
	}()
	if len(files) != slotSockets {
		return s, fmt.Errorf("%d are held, not %d", len(files), slotSockets)
	}
	if s.metadata, err = stdnet.FileListener(files[0]); err != nil {
		return s, err
	}
	if s.udp, err = stdnet.FilePacketConn(files[1]); err != nil {
		return s, err
	}
	s.tcp, err = stdnet.FileListener(files[2])
	return s, err
}

// close closes what is open; nothing is lost by it, and it may be closed
// already.
func (s *sockets) close() {
	if s.metadata != nil {
		_ = s.metadata.Close()
	}
	if s.udp != nil {
		_ = s.udp.Close()
	}
	if s.tcp != nil {
		_ = s.tcp.Close()
	}
}
