package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// attrTypeMask takes the flags off an attribute's type.
const attrTypeMask = 0x3fff

// lookTables lists the nftables tables of the thread's network namespace. It
// speaks netlink by hand: the libraries for it belong to the network package,
// and a leak check should not trust what it checks.
func lookTables(s snapshot) error {
	sock, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil // no netfilter, no tables
	}
	if err != nil {
		return fmt.Errorf("netfilter socket: %w", err)
	}
	defer unix.Close(sock)
	if err := unix.Sendto(sock, tablesRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask for the tables: %w", err)
	}
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(sock, buf, 0)
		if err != nil {
			return fmt.Errorf("receive the tables: %w", err)
		}
		if done := addTables(s, buf[:n]); done {
			return nil
		}
	}
}

// tablesRequest asks for a dump of the tables of every family.
func tablesRequest() []byte {
	const length = unix.NLMSG_HDRLEN + 4
	msg := make([]byte, length)
	binary.NativeEndian.PutUint32(msg[0:], length)
	binary.NativeEndian.PutUint16(msg[4:], unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETTABLE)
	binary.NativeEndian.PutUint16(msg[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	return msg // family and version of what follows are zero: all
}

// addTables adds the tables of one datagram and reports whether the dump ends
// with it. An error message ends it too: without nftables there are no tables.
func addTables(s snapshot, data []byte) (done bool) {
	for len(data) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(data))
		kind := binary.NativeEndian.Uint16(data[4:])
		if length < unix.NLMSG_HDRLEN || length > len(data) || kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return true
		}
		if body := data[unix.NLMSG_HDRLEN:length]; len(body) > 4 {
			s.add(fmt.Sprintf("nftables table %s of family %d", tableName(body[4:]), body[0]), "")
		}
		data = data[min((length+3)&^3, len(data)):]
	}
	return false
}

// tableName finds the name among the attributes of a table.
func tableName(attrs []byte) string {
	for len(attrs) >= 4 {
		length := int(binary.NativeEndian.Uint16(attrs))
		if length < 4 || length > len(attrs) {
			break
		}
		if binary.NativeEndian.Uint16(attrs[2:])&attrTypeMask == unix.NFTA_TABLE_NAME {
			return strings.TrimRight(string(attrs[4:length]), "\x00")
		}
		attrs = attrs[min((length+3)&^3, len(attrs)):]
	}
	return "without a name"
}
