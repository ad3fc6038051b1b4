package net

import (
	"fmt"
	"strconv"
	"strings"
)

// sockstat is what /proc/net/sockstat and sockstat6 tell about one namespace:
// for each line, such as "TCP", the counters by name. Some lines count the
// whole host's; see quiet for those that do not.
type sockstat map[string]map[string]int

// add reads one of the two files.
func (s sockstat) add(text string) error {
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields)%2 != 0 {
			return fmt.Errorf("sockstat line %q has a form nobody knows", strings.TrimSpace(line))
		}
		counters := map[string]int{}
		for i := 0; i < len(fields); i += 2 {
			n, err := strconv.Atoi(fields[i+1])
			if err != nil {
				return fmt.Errorf("sockstat line %q: %w", strings.TrimSpace(line), err)
			}
			counters[fields[i]] = n
		}
		s[name] = counters
	}
	return nil
}

// quiet reports whether the namespace holds exactly the given number of
// sockets, of whatever family, and nothing that outlives a socket: no
// connection waiting for its time, no half-assembled packet.
//
// "sockets: used" counts every socket of user space until its last reference
// is gone, so a connection that is closed but not finished is among them. The
// counters by protocol must agree.
func (s sockstat) quiet(sockets int) bool {
	if s["sockets"]["used"] != sockets || s["TCP"]["tw"] != 0 {
		return false
	}
	inuse := 0
	for _, protocol := range []string{"TCP", "UDP", "UDPLITE", "RAW"} {
		inuse += s[protocol]["inuse"] + s[protocol+"6"]["inuse"]
	}
	return inuse <= sockets && s["FRAG"]["inuse"] == 0 && s["FRAG6"]["inuse"] == 0
}

// complete says whether the counters that quiet relies on are there at all.
func (s sockstat) complete() error {
	for _, c := range [][2]string{{"sockets", "used"}, {"TCP", "inuse"}, {"TCP", "tw"}, {"UDP", "inuse"}, {"RAW", "inuse"}, {"FRAG", "inuse"}} {
		if _, ok := s[c[0]][c[1]]; !ok {
			return fmt.Errorf("sockstat does not tell %s %s", c[0], c[1])
		}
	}
	return nil
}
