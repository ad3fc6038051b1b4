package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sys/unix"
)

// mark is in every frame that forge sends.
const mark = "forged by inside"

// frame is one that has come in.
type frame struct {
	From string `json:"from"`
	// Kind is its type, such as 0800.
	Kind string `json:"kind"`
	// Forged is whether forge has sent it.
	Forged bool `json:"forged"`
}

// sniff tells every kind of frame that comes in at eth0 for some time, once.
func sniff(ctx context.Context, v url.Values) (any, error) {
	patience, err := duration(v, "for", 5*time.Second)
	if err != nil {
		return nil, err
	}
	sock, _, err := packetSocket(unix.ETH_P_ALL)
	if err != nil {
		return nil, err
	}
	defer unix.Close(sock)
	seen, list := map[frame]bool{}, []frame{}
	buf := make([]byte, 1<<16)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && ctx.Err() == nil; {
		n, from, err := unix.Recvfrom(sock, buf, 0)
		if link, ok := from.(*unix.SockaddrLinklayer); err != nil || n < 14 || !ok || link.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		f := frame{net.HardwareAddr(buf[6:12]).String(), hex.EncodeToString(buf[12:14]), bytes.Contains(buf[:n], []byte(mark))}
		if !seen[f] {
			seen[f], list = true, append(list, f)
		}
	}
	return map[string]any{"frames": list}, nil
}

// packetSocket is a socket for whole frames of a kind at eth0, which is read
// from for a tenth of a second at most.
func packetSocket(kind uint16) (sock int, link *net.Interface, err error) {
	if link, err = net.InterfaceByName("eth0"); err != nil {
		return 0, nil, err
	}
	order := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, kind))
	sock, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(order))
	if err != nil {
		return 0, nil, fmt.Errorf("socket for frames: %w", err)
	}
	err = unix.SetsockoptTimeval(sock, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	if err == nil {
		err = unix.Bind(sock, &unix.SockaddrLinklayer{Ifindex: link.Index, Protocol: order})
	}
	if err != nil {
		_ = unix.Close(sock) // it was for nothing
		return 0, nil, fmt.Errorf("socket for frames: %w", err)
	}
	return sock, link, nil
}

// forge sends frames to another instance, past the gateway and through it, as
// itself and as the gateway, and tells how many have left.
func forge(_ context.Context, v url.Values) (any, error) {
	victim, err := net.ParseMAC(v.Get("mac"))
	if err != nil {
		return nil, err
	}
	router, err := net.ParseMAC(v.Get("router"))
	if err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(v.Get("address"))
	if err != nil {
		return nil, err
	}
	gateway, err := netip.ParseAddr(v.Get("gateway"))
	if err != nil {
		return nil, err
	}
	sock, link, err := packetSocket(0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(sock)
	sent := 0
	for _, to := range []net.HardwareAddr{victim, router, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x33, 0x33, 0, 0, 0, 1}, {0x01, 0x80, 0xc2, 0, 0, 0}} {
		for _, from := range []net.HardwareAddr{link.HardwareAddr, router, victim} {
			for kind, payload := range map[uint16][]byte{
				unix.ETH_P_ARP: arpReply(gateway, link.HardwareAddr, address, victim), unix.ETH_P_IPV6: advertisement(),
				unix.ETH_P_IP: datagram(gateway, address), 0x88b5: nil,
			} {
				f := append(append(append([]byte(nil), to...), from...), byte(kind>>8), byte(kind))
				f = append(append(f, payload...), mark...)
				if err := unix.Sendto(sock, f, 0, &unix.SockaddrLinklayer{Ifindex: link.Index}); err != nil {
					return nil, fmt.Errorf("send %x: %w", f, err)
				}
				sent++
			}
		}
	}
	return map[string]any{"sent": sent}, nil
}

// arpReply claims an address.
func arpReply(claimed netip.Addr, mac net.HardwareAddr, to netip.Addr, toMAC net.HardwareAddr) []byte {
	b := append([]byte{0, 1, 8, 0, 6, 4, 0, 2}, mac...)
	b = append(append(b, claimed.AsSlice()...), toMAC...)
	return append(b, to.AsSlice()...)
}

// advertisement is that of a router for IPv6, for half an hour; who checks sums
// passes it over, but has it.
func advertisement() []byte {
	from, to := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::1")
	b := append([]byte{0x60, 0, 0, 0, 0, byte(16 + len(mark)), unix.IPPROTO_ICMPV6, 255}, from.AsSlice()...)
	return append(append(b, to.AsSlice()...), 134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0)
}

// datagram is the head of one by UDP.
func datagram(from, to netip.Addr) []byte {
	b := make([]byte, 20, 28)
	b[0], b[8], b[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(b[2:], uint16(28+len(mark)))
	copy(b[12:], from.AsSlice())
	copy(b[16:], to.AsSlice())
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum+sum>>16))
	b = append(b, 0x12, 0x34, 0x1f, 0x90) // to port 8080
	return append(b, 0, byte(8+len(mark)), 0, 0)
}
