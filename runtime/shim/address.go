package shim

import (
	"fmt"
	"net"
	"os"
)

// AddrIn is the address of the unix socket name of the given type in the
// directory dir, which stays open for as long as the address is used. An
// address holds 107 bytes and a path may be longer; this one never is.
func AddrIn(dir *os.File, name, network string) *net.UnixAddr {
	return &net.UnixAddr{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name), Net: network}
}
