// Package net gives an instance a network: a namespace of its own, an address,
// a way out, and listeners of the daemon inside it.
//
// A Network is one bridge, one private subnet and one pair of nftables tables
// of the same name. An Attachment is one namespace joined to the bridge by a
// veth pair:
//
//	instance's namespace            host
//	lo    127.0.0.1
//	      169.254.169.254  <------- sockets opened by Attachment.Listen
//	eth0  100.64.0.2/32 ----------- rnlNAME-0002 --- rnlNAME 100.64.0.1/16 --- NAT --- uplinks
//
// What an instance can reach is the world beyond the host's uplinks, through
// NAT, and what was opened for it inside its namespace. It reaches no other
// instance, no address of the host but the network's doors at the gateway, nothing link-local beyond its own loopback
// interface. Nobody but the host itself opens connections to it.
//
// Three fences make it so, each sufficient against what it is for:
//
//   - The port. It is isolated, so the bridge never forwards from port to port;
//     it learns nothing and is locked to one static forwarding entry, so a
//     frame with another instance's hardware address as its source is dropped;
//     it floods nothing. ARP is not spoken at all: neighbour entries on both
//     sides are permanent, and ARP frames are dropped at the port.
//   - The bridge table. It passes IPv4 frames to the bridge's own hardware
//     address only, and only if the source address is the one that the
//     hardware address was made from. The bridge is told to treat frames to
//     link-local groups like all others, so that they come by here too.
//   - The ip table. It sorts packets from instances before destination NAT can
//     rewrite them: answers to the host's own connections may pass, new
//     connections may only go to unicast addresses beyond the host, and to the
//     network's doors.
//
// IPv6 is off on both sides, except on an instance's loopback interface.
//
// A namespace lives as long as somebody holds it: it is never mounted anywhere,
// so that the kernel removes it, and with it the veth pair, once the last
// holder has died. Everything else a crash leaves is found by its name and
// swept by the next Setup.
//
// Or it is taken over. Nothing on the way of an instance's packets needs the
// process that made it, so instances stay connected when it dies or Leaves, as
// long as somebody holds their namespaces. Resume takes over the rest, Reattach
// one instance at a time, and Prune removes those nobody asked for:
//
//	n := New(config)
//	n.Resume(ctx)
//	for each instance that lives: n.Reattach(ctx, its namespace)
//	n.Prune(ctx)
//
// Nothing is kept in files for it. The bridge's hardware address carries the
// gateway's, a port's name the instance's; the rules hold the names of the links
// that forward because of the network. If the host's rules are flushed while
// no process runs, those links go on forwarding when the network has closed.
//
// All of it is computed as plain data first (Plan), then applied with netlink
// and nftables. The package needs Linux 5.16, CAP_NET_ADMIN and CAP_SYS_ADMIN,
// and a writable /proc/sys. It starts no processes and does not log.
package net
