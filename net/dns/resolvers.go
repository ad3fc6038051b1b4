package dns

import (
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// dnsPort is where resolvers of a resolv.conf listen.
const dnsPort = 53

// maxNameservers is how many nameserver lines count.
// Source: resolv.conf(5), MAXNS.
const maxNameservers = 3

// resolvers are the host's, as they are at the moment.
type resolvers struct {
	fixed []netip.AddrPort
	path  string

	mu    sync.Mutex // guards the fields below
	stamp stamp
	read  []netip.AddrPort
}

// stamp tells versions of a file apart.
type stamp struct {
	modified time.Time
	size     int64
	file     os.FileInfo
}

// list returns the resolvers in the order to ask them. It must not be changed.
func (r *resolvers) list() []netip.AddrPort {
	if len(r.fixed) > 0 || r.path == "" {
		return r.fixed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(r.path)
	if err != nil {
		return r.read // between the removal and the renewal of the file
	}
	now := stamp{info.ModTime(), info.Size(), info}
	if r.stamp.same(now) {
		return r.read
	}
	if text, err := os.ReadFile(r.path); err == nil {
		r.stamp, r.read = now, parseResolvConf(string(text))
	}
	return r.read
}

func (s stamp) same(other stamp) bool {
	return s.file != nil && os.SameFile(s.file, other.file) && s.modified.Equal(other.modified) && s.size == other.size
}

// parseResolvConf reads the nameserver lines of a resolv.conf; what is no
// address is passed over, as the C library does.
func parseResolvConf(text string) []netip.AddrPort {
	var servers []netip.AddrPort
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" || len(servers) == maxNameservers {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, dnsPort))
		}
	}
	return servers
}
