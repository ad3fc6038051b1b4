package net

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// sysctl is a setting below /proc/sys/net, as the calling thread's namespace
// has it.
type sysctl struct{ path, value string }

const sysctlRoot = "/proc/sys/net/"

// write sets s. Where the kernel has no IPv6 there is nothing to set about it.
func (s sysctl) write() error {
	err := os.WriteFile(sysctlRoot+s.path, []byte(s.value), 0)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(s.path, "ipv6/") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("set %s to %q: %w", s.path, s.value, unwrapPath(err))
	}
	return nil
}

// readSysctl reads a setting.
func readSysctl(path string) (string, error) {
	b, err := os.ReadFile(sysctlRoot + path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, unwrapPath(err))
	}
	return strings.TrimSpace(string(b)), nil
}

// unwrapPath drops the path that os puts into an error, for texts that name it.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// writeAll sets all of them, in order, up to the first that fails.
func writeAll(settings []sysctl) error {
	for _, s := range settings {
		if err := s.write(); err != nil {
			return err
		}
	}
	return nil
}

// instanceSysctls are the settings of an instance's namespace, to be made
// before it has any link but lo. Ports below 1024 and ping are for every user,
// as no user inside can harm another's through them.
func instanceSysctls() []sysctl {
	return []sysctl{
		{"ipv4/ip_unprivileged_port_start", "0"},
		{"ipv4/ping_group_range", "0 2147483647"},
		{"ipv6/conf/default/disable_ipv6", "1"},
	}
}

// bridgeSysctls are the settings of the bridge. Only links that packets come in
// by need to forward, so the host's other links stay what they are.
func bridgeSysctls(bridge string) []sysctl {
	return []sysctl{
		{"ipv6/conf/" + bridge + "/disable_ipv6", "1"},
		{"ipv4/conf/" + bridge + "/accept_redirects", "0"},
		{"ipv4/conf/" + bridge + "/send_redirects", "0"},
		{forwardingPath(bridge), "1"},
	}
}

// forwardingPath is the setting that lets packets which came in by a link be
// routed out by another.
func forwardingPath(link string) string { return "ipv4/conf/" + link + "/forwarding" }
