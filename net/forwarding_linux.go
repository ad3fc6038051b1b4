package net

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Forwarding is switched on per link, never for the whole host: for the bridge,
// and for each link that answers from outside come in by. A link that did not
// forward before is kept from forwarding to others of its kind by a rule, so
// that the host does not become a router by accident; such links are remembered
// in a set of the ip table, which outlives a crash.
//
// Close switches a link off again only if this network, or an earlier process
// of its name, switched it on, no other network remembers it, and the host as a
// whole has not been made a router meanwhile. In every other case somebody may
// count on it, and it stays on. A link that appears after Setup forwards only
// if the host says so, or after the next Setup or Resume.

// uplink is a link of the host by which packets may leave.
type uplink struct {
	name string
	mtu  int
}

// uplinks lists the links that have an IPv4 address and are not loopback or of
// a network like this one.
func (s *state) uplinks() ([]uplink, error) {
	links, err := dump(s.netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return s.netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	addressed := map[int]bool{}
	for _, a := range addrs {
		addressed[a.LinkIndex] = true
	}
	var ups []uplink
	for _, l := range links {
		a := l.Attrs()
		ours := strings.HasPrefix(a.Name, linkPrefix)
		if addressed[a.Index] && a.RawFlags&unix.IFF_LOOPBACK == 0 && !ours {
			ups = append(ups, uplink{a.Name, a.MTU})
		}
	}
	return ups, nil
}

// uplinkMTU is the smallest of the uplinks', so that an instance does not have
// to discover it.
func (s *state) uplinkMTU() (int, error) {
	ups, err := s.uplinks()
	if err != nil || len(ups) == 0 {
		return defaultMTU, err
	}
	smallest := ups[0].mtu
	for _, u := range ups[1:] {
		smallest = min(smallest, u.mtu)
	}
	return smallest, nil
}

// chooseUplinks plans to forward on the uplinks that do not yet, or that do
// because of this network or one like it. A link that forwards because of an
// earlier process stays planned even if it is no uplink any more, so that Close
// switches it off.
func (s *state) chooseUplinks() error {
	ups, err := s.uplinks()
	if err != nil {
		return err
	}
	others, err := claims(s.plan.Table(), false)
	if err != nil {
		return err
	}
	candidates := map[string]bool{}
	for _, u := range ups {
		candidates[u.name] = true
	}
	maps.Copy(candidates, s.earlier)
	uplink := func(name string) bool {
		return slices.ContainsFunc(ups, func(u uplink) bool { return u.name == name })
	}
	for _, name := range slices.Sorted(maps.Keys(candidates)) {
		on, err := readSysctl(forwardingPath(name))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOENT) {
			continue // the link is gone
		}
		if err != nil {
			return err
		}
		if on == "0" && uplink(name) || on != "0" && (s.earlier[name] || others[name]) {
			s.plan.Uplinks = append(s.plan.Uplinks, name)
		}
	}
	return nil
}

// startForwarding switches forwarding on for the planned uplinks, and notes for
// which it was off. If it fails, it calls undo.
func (s *state) startForwarding(undo func() error) error {
	s.switched = nil
	for _, name := range s.plan.Uplinks {
		on, err := readSysctl(forwardingPath(name))
		if err == nil {
			err = sysctl{forwardingPath(name), "1"}.write()
		}
		if err != nil {
			return errors.Join(err, undo())
		}
		if on == "0" {
			s.switched = append(s.switched, name)
		}
	}
	return nil
}

// stopForwarding switches forwarding off for the named links, except where
// somebody else may count on it.
func (s *state) stopForwarding(names []string) error {
	global, err := readSysctl("ipv4/ip_forward")
	if err != nil || global != "0" {
		return err
	}
	others, err := claims(s.plan.Table(), false)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if _, err := os.Stat(sysctlRoot + forwardingPath(name)); others[name] || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		errs = append(errs, sysctl{forwardingPath(name), "0"}.write())
	}
	return errors.Join(errs...)
}

// claims reads which uplinks networks remember: the network of the given table
// if own is true, all others if it is false.
func claims(own string, wantOwn bool) (map[string]bool, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	names := map[string]bool{}
	for _, t := range tables {
		if !strings.HasPrefix(t.Name, tablePrefix) || (t.Name == own) != wantOwn {
			continue
		}
		elements, err := uplinksOf(c, t)
		if err != nil {
			return nil, fmt.Errorf("read set %s of table %s: %w", uplinkSet, t.Name, err)
		}
		for _, e := range elements {
			names[unix.ByteSliceToString(e.Key)] = true
		}
	}
	return names, nil
}

// uplinksOf reads what the network of a table remembers: nothing if the table has
// gone meanwhile, with its network, or is of another make.
func uplinksOf(c *nftables.Conn, t *nftables.Table) ([]nftables.SetElement, error) {
	elements, err := c.GetSetElements(&nftables.Set{Table: t, Name: uplinkSet})
	if err == nil {
		return elements, nil
	}
	// That error has lost what it was made from; this one has not.
	if _, gone := c.GetSetByName(t, uplinkSet); errors.Is(gone, unix.ENOENT) {
		return nil, nil
	}
	return nil, err
}
