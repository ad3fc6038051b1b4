package net

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// conntrack asks about the connection-tracking table of the namespace it was
// made in, whichever thread uses it. It may be used by several at a time.
type conntrack struct {
	sockets map[int]*nl.SocketHandle
}

// openConntrack opens a socket in the calling thread's namespace.
func openConntrack() (*conntrack, error) {
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &conntrack{map[int]*nl.SocketHandle{unix.NETLINK_NETFILTER: {Socket: socket}}}, nil
}

func (c *conntrack) close() { c.sockets[unix.NETLINK_NETFILTER].Close() }

// The kernel's CTA_FILTER and what it holds; the netlink package has no names
// for them.
// Source: linux/netfilter/nfnetlink_conntrack.h, nf_internals.h.
const (
	ctaFilter           = 25
	ctaFilterOrigFlags  = 1
	ctaFilterReplyFlags = 2
	ctaFilterSource     = 1 << 0
)

// selector chooses entries by the source address of packets in one direction.
type selector struct {
	tuple int // nl.CTA_TUPLE_ORIG or nl.CTA_TUPLE_REPLY
	addr  netip.Addr
}

// forget drops the entries of connections that addr has opened, and of those
// that it has answered.
func (c *conntrack) forget(addr netip.Addr) error {
	for _, tuple := range []int{nl.CTA_TUPLE_ORIG, nl.CTA_TUPLE_REPLY} {
		s := selector{tuple, addr}
		err := c.flush(s)
		if errors.Is(err, unix.EINVAL) { // an older kernel, such as 6.1
			err = c.deleteEach(s)
		}
		if errors.Is(err, unix.EINVAL) { // it does not know the table's messages
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flush drops the selected entries with one message. A kernel that does not
// know the filter refuses, because it takes the tuple for that of a single
// entry, which is not complete.
func (c *conntrack) flush(s selector) error {
	_, err := c.ask(nl.IPCTNL_MSG_CT_DELETE, unix.NLM_F_ACK, s.attributes()...)
	return err
}

// deleteEach lists the selected entries and drops them one by one.
func (c *conntrack) deleteEach(s selector) error {
	entries, err := c.ask(nl.IPCTNL_MSG_CT_GET, unix.NLM_F_DUMP, s.attributes()...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, err := identity(e)
		if err != nil {
			return err
		}
		_, err = c.ask(nl.IPCTNL_MSG_CT_DELETE, unix.NLM_F_ACK, name...)
		if err != nil && !errors.Is(err, unix.ENOENT) { // ENOENT: it timed out
			return err
		}
	}
	return nil
}

// attributes are those of a message about the selected entries.
func (s selector) attributes() []*nl.RtAttr {
	tuple := nl.NewRtAttr(s.tuple|unix.NLA_F_NESTED, nil)
	tuple.AddRtAttr(nl.CTA_TUPLE_IP|unix.NLA_F_NESTED, nil).AddRtAttr(nl.CTA_IP_V4_SRC, s.addr.AsSlice())
	var orig, reply uint32 = ctaFilterSource, 0
	if s.tuple == nl.CTA_TUPLE_REPLY {
		orig, reply = reply, orig
	}
	filter := nl.NewRtAttr(ctaFilter|unix.NLA_F_NESTED, nil)
	filter.AddRtAttr(ctaFilterOrigFlags, nl.Uint32Attr(orig))
	filter.AddRtAttr(ctaFilterReplyFlags, nl.Uint32Attr(reply))
	return []*nl.RtAttr{tuple, filter}
}

// identity picks from the message about an entry what names it.
func identity(entry []byte) (name []*nl.RtAttr, err error) {
	if len(entry) < nl.SizeofNfgenmsg {
		return nil, errors.New("the kernel tells of an entry without its head")
	}
	attrs, err := nl.ParseRouteAttr(entry[nl.SizeofNfgenmsg:])
	if err != nil {
		return nil, fmt.Errorf("read an entry: %w", err)
	}
	for _, a := range attrs {
		switch a.Attr.Type & nl.NLA_TYPE_MASK {
		case nl.CTA_TUPLE_ORIG, nl.CTA_ZONE, nl.CTA_ID:
			name = append(name, nl.NewRtAttr(int(a.Attr.Type), a.Value))
		}
	}
	return name, nil
}

// ask sends one message about the table and collects the kernel's answers.
func (c *conntrack) ask(kind, flags int, attrs ...*nl.RtAttr) ([][]byte, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_CTNETLINK<<8|kind, flags)
	req.Sockets = c.sockets
	req.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_INET, Version: nl.NFNETLINK_V0})
	for _, a := range attrs {
		req.AddData(a)
	}
	return req.Execute(unix.NETLINK_NETFILTER, 0)
}
