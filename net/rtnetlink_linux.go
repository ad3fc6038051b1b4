package net

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// rtnetlink says to the kernel in one message what the methods of a
// netlink.Handle take several for. It belongs to the namespace it was made in,
// whichever thread uses it, and may be used by several at a time.
type rtnetlink struct {
	*netlink.Handle
	sockets map[int]*nl.SocketHandle
}

// openRTNetlink opens sockets in the calling thread's namespace.
func openRTNetlink() (*rtnetlink, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		handle.Close()
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &rtnetlink{handle, map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}}}, nil
}

func (r *rtnetlink) close() {
	r.Handle.Close()
	r.sockets[unix.NETLINK_ROUTE].Close()
}

// send sends one message about a link and waits for the kernel's answer.
func (r *rtnetlink) send(kind, flags int, msg *nl.IfInfomsg, attrs ...*nl.RtAttr) error {
	req := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	req.Sockets = r.sockets
	req.AddData(msg)
	for _, a := range attrs {
		req.AddData(a)
	}
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// innerLink is the name of the link inside the namespace.
const innerLink = "eth0"

// addPair creates both ends of an endpoint's veth pair: the port, up and in the
// bridge, and its peer in the namespace, still down. It returns the port's
// index.
func (r *rtnetlink) addPair(e Endpoint, mtu, bridge int, ns *os.File) (int, error) {
	port := nl.NewIfInfomsg(unix.AF_UNSPEC)
	port.Flags, port.Change = unix.IFF_UP, unix.IFF_UP

	// One queue: the default is one per CPU of the host for either end.
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(innerLink))
	peer.AddRtAttr(unix.IFLA_ADDRESS, e.MAC)
	peer.AddRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(mtu)))
	peer.AddRtAttr(unix.IFLA_NUM_TX_QUEUES, nl.Uint32Attr(1))
	peer.AddRtAttr(unix.IFLA_NUM_RX_QUEUES, nl.Uint32Attr(1))
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(ns.Fd())))

	err := r.send(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, port,
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(e.Port)),
		nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(mtu))),
		nl.NewRtAttr(unix.IFLA_NUM_TX_QUEUES, nl.Uint32Attr(1)),
		nl.NewRtAttr(unix.IFLA_NUM_RX_QUEUES, nl.Uint32Attr(1)),
		nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(uint32(bridge))),
		info)
	if err != nil {
		return 0, err
	}
	link, err := r.LinkByName(e.Port)
	if err != nil {
		return 0, errors.Join(err, r.deleteByName(e.Port))
	}
	return link.Attrs().Index, nil
}

// groupsForwarded makes the bridge treat frames to the link-local groups
// 01:80:c2:00:00:03 to :0f like all others, which its table drops. Otherwise
// it would hand some of them to the host as the port's own, past every rule of
// the bridge: an instance could advertise itself as the host's IPv6 router. The
// kernel does not allow it for the first three, but drops them or asks the
// table.
const groupsForwarded = 0xfff8

// shapeBridge makes the settings of a bridge. It says nothing of the hardware
// address: the kernel forgets a link's neighbours when told the one it has.
func (r *rtnetlink) shapeBridge(index int) error {
	bridge := nl.NewIfInfomsg(unix.AF_UNSPEC)
	bridge.Index = int32(index)

	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	settings := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	settings.AddRtAttr(nl.IFLA_BR_GROUP_FWD_MASK, nl.Uint16Attr(groupsForwarded))
	settings.AddRtAttr(nl.IFLA_BR_MCAST_SNOOPING, []byte{0})
	return r.send(unix.RTM_NEWLINK, 0, bridge, info)
}

// addrGenNone keeps IPv6 from making a link-local address.
const addrGenNone = 1

// lockPort puts up the first fence of the package comment on a bridge port, and
// keeps IPv6 from configuring it.
func (r *rtnetlink) lockPort(index int) error {
	port := nl.NewIfInfomsg(unix.AF_UNSPEC)
	port.Index = int32(index)

	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_SLAVE_KIND, nl.NonZeroTerminated("bridge"))
	settings := info.AddRtAttr(nl.IFLA_INFO_SLAVE_DATA, nil)
	for _, s := range []struct {
		attr  int
		value byte
	}{
		{nl.IFLA_BRPORT_ISOLATED, 1},
		{nl.IFLA_BRPORT_LOCKED, 1},
		{nl.IFLA_BRPORT_LEARNING, 0},
		{nl.IFLA_BRPORT_UNICAST_FLOOD, 0},
		{nl.IFLA_BRPORT_MCAST_FLOOD, 0},
		{nl.IFLA_BRPORT_BCAST_FLOOD, 0},
		{nl.IFLA_BRPORT_MULTICAST_ROUTER, 0},
	} {
		settings.AddRtAttr(s.attr, []byte{s.value})
	}
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	families.AddRtAttr(unix.AF_INET6, nil).AddRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, []byte{addrGenNone})

	return r.send(unix.RTM_NEWLINK, 0, port, info, families)
}

const (
	// linkTimeout is how long a link may take to come up. It takes less than a
	// millisecond unless the kernel is busy deleting others.
	linkTimeout = 10 * time.Second
	// linkInterval is how often a link is looked at meanwhile.
	linkInterval = time.Millisecond
)

// awaitUp waits until a link is operational. Since Linux 6.8 the question makes
// the kernel see to it at once; before, it may have to be asked again.
func (r *rtnetlink) awaitUp(ctx context.Context, index int) error {
	var tick *time.Ticker
	for {
		link, err := r.LinkByIndex(index)
		if err != nil || link.Attrs().OperState == netlink.OperUp {
			return err
		}
		if tick == nil {
			tick = time.NewTicker(linkInterval)
			defer tick.Stop()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is %v: %w", link.Attrs().Name, link.Attrs().OperState, context.Cause(ctx))
		}
	}
}

// setGroup puts a link into a group.
func (r *rtnetlink) setGroup(index int, group uint32) error {
	link := nl.NewIfInfomsg(unix.AF_UNSPEC)
	link.Index = int32(index)
	return r.send(unix.RTM_SETLINK, 0, link, nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(group)))
}

// deleteGroup deletes all links of a group at once.
func (r *rtnetlink) deleteGroup(group uint32) error {
	err := r.send(unix.RTM_DELLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC),
		nl.NewRtAttr(unix.IFLA_GROUP, nl.Uint32Attr(group)))
	return ignoreGone(err)
}

// deleteByIndex deletes a link; one that is gone does not matter.
func (r *rtnetlink) deleteByIndex(index int) error {
	link := nl.NewIfInfomsg(unix.AF_UNSPEC)
	link.Index = int32(index)
	return ignoreGone(r.send(unix.RTM_DELLINK, 0, link))
}

// deleteByName deletes a link; one that is gone does not matter.
func (r *rtnetlink) deleteByName(name string) error {
	return ignoreGone(r.send(unix.RTM_DELLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC),
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name))))
}

// ignoreGone forgives that a link or an entry is not there.
func ignoreGone(err error) error {
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return nil
	}
	return err
}
