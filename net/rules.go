package net

import (
	"fmt"
	"strconv"
	"strings"
)

// table is one nftables table as data. Its text form is close to nft's own.
type table struct {
	family string // "ip" or "bridge"
	name   string
	sets   []set
	chains []chain
}

// set is a named set whose elements are known when the table is made.
type set struct {
	name string
	// kind is setLinks or setOctets.
	kind string
	// links are the elements of a set of link names.
	links []string
}

const (
	// setLinks holds names of links.
	setLinks = "ifname"
	// setOctets holds every pair of equal octets. Looking a pair up in it
	// compares two fields of a packet, for which kernels before 6.12 have no
	// instruction.
	setOctets = "octet . octet"
)

// chain is a list of rules; without a hook it is only jumped to.
type chain struct {
	name     string
	hook     string // "prerouting", "input", "forward", "postrouting" or none
	nat      bool
	priority int
	rules    []rule
}

// Where the chains of the ip table stand among others'.
const (
	// prioritySort lies after connection tracking (-200), whose verdict the
	// rules ask for, and before destination NAT (-100), which would hide that
	// a packet was addressed to the host.
	prioritySort = -150
	priorityDrop = 0
	priorityNAT  = 100
	// priorityFrame is the usual one of filters on a bridge.
	priorityFrame = -200
)

// rule applies its verdict to packets that all its matches fit.
type rule struct {
	matches []match
	verdict string // "accept", "drop", "masquerade fully-random" or "jump CHAIN"
}

// match compares one field of a packet with a value.
type match struct {
	field field
	not   bool
	value string
}

// field names what a match compares, as nft does.
type field string

const (
	inLink      field = "iifname" // a name, a beginning with "*", or "@set"
	outLink     field = "oifname" // the same
	etherDst    field = "ether daddr"
	etherType   field = "ether type" // "ip"
	source      field = "ip saddr"   // a prefix
	destination field = "ip daddr"   // a prefix
	tracked     field = "ct state"   // "established,related" or "new"
	routeType   field = "fib daddr type"
	tcpPort     field = "tcp dport" // a number
	// octets of the source hardware address and the source address that must
	// be in a set of pairs.
	thirdOctets  field = "ether saddr[4] . ip saddr[2]"
	fourthOctets field = "ether saddr[5] . ip saddr[3]"
)

func on(f field, value string) match    { return match{field: f, value: value} }
func notOn(f field, value string) match { return match{field: f, not: true, value: value} }

func drop(m ...match) rule   { return rule{m, "drop"} }
func accept(m ...match) rule { return rule{m, "accept"} }

// answers fits packets of a connection that somebody else opened.
func answers() match { return on(tracked, "established,related") }

// tables lists the nftables tables of the network.
func (p Plan) tables() []table {
	return []table{p.bridgeTable(), p.ipTable()}
}

// bridgeTable lets an instance send IPv4 from its own address to the host, and
// nothing else.
func (p Plan) bridgeTable() table {
	fromPort := on(inLink, p.portPrefix()+"*")
	toBridge := notOn(etherDst, macOf(p.Gateway()).String())
	return table{
		family: "bridge",
		name:   p.Table(),
		sets:   []set{{name: "same", kind: setOctets}},
		chains: []chain{
			{name: "frame", rules: []rule{
				drop(toBridge),
				drop(notOn(etherType, "ip")),
				drop(notOn(thirdOctets, "@same")),
				drop(notOn(fourthOctets, "@same")),
			}},
			{name: "prerouting", hook: "prerouting", priority: priorityFrame, rules: []rule{
				{[]match{fromPort}, "jump frame"},
			}},
			// Frames to a few link-local groups come here without having been
			// through prerouting.
			{name: "input", hook: "input", priority: priorityFrame, rules: []rule{
				drop(fromPort, toBridge),
			}},
			{name: "forward", hook: "forward", priority: priorityFrame, rules: []rule{
				drop(fromPort),
			}},
		},
	}
}

// ipTable keeps instances from the host, but for the network's doors, and from
// each other, everybody else from the gateway, and translates the instances'
// addresses on the way out.
func (p Plan) ipTable() table {
	fromInstance, toInstance := on(inLink, p.Bridge()), on(outLink, p.Bridge())
	sorted := []rule{
		drop(notOn(source, p.Subnet.String())),
		accept(answers()),
		drop(notOn(tracked, "new")),
		drop(on(destination, "169.254.0.0/16")),
	}
	input := []rule{accept(fromInstance, answers())}
	for _, port := range p.Doors {
		door := []match{on(destination, p.Gateway().String()+"/32"), on(tcpPort, strconv.Itoa(int(port)))}
		sorted = append(sorted, accept(door...))
		input = append(input, accept(append([]match{fromInstance}, door...)...))
	}
	input = append(input,
		drop(fromInstance),
		// Who comes in at the gateway counts as an instance. The host would take
		// a neighbour's packets there as at any of its addresses.
		drop(notOn(inLink, "lo"), on(destination, p.Gateway().String()+"/32")),
	)
	return table{
		family: "ip",
		name:   p.Table(),
		sets:   []set{{name: uplinkSet, kind: setLinks, links: p.Uplinks}},
		chains: []chain{
			// Not to an address of the host, to a group or to everybody.
			{name: "instance", rules: append(sorted, drop(notOn(routeType, "unicast")))},
			{name: "prerouting", hook: "prerouting", priority: prioritySort, rules: []rule{
				// Nothing that the bridge should have seen comes from a port
				// directly.
				drop(on(inLink, p.portPrefix()+"*")),
				{[]match{fromInstance}, "jump instance"},
			}},
			{name: "input", hook: "input", priority: priorityDrop, rules: input},
			{name: "forward", hook: "forward", priority: priorityDrop, rules: []rule{
				drop(fromInstance, toInstance),
				// This ends the chain, not the way of the packet: it goes on
				// through the forward chains of all other tables, and one that
				// drops it there has the last word. See Barriers.
				accept(fromInstance),
				accept(toInstance, answers()),
				drop(toInstance),
				// Between links that did not forward before, it stays so.
				drop(on(inLink, "@"+uplinkSet), on(outLink, "@"+uplinkSet)),
			}},
			{name: "postrouting", hook: "postrouting", nat: true, priority: priorityNAT, rules: []rule{
				// Instances that were started alike choose the same ports and ICMP
				// ids. Where those are kept, the kernel drops one of two first packets
				// that come at the same moment: a second lost, or an answer.
				{[]match{on(source, p.Subnet.String()), notOn(outLink, p.Bridge())}, "masquerade fully-random"},
			}},
		},
	}
}

// uplinkSet names the set of links that forward because of this network. It
// also remembers them: the next Setup after a crash reads it.
const uplinkSet = "uplinks"

// String renders t for people and for golden tests.
func (t table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %s %s {\n", t.family, t.name)
	for _, s := range t.sets {
		elements := strings.Join(s.links, ", ")
		if s.kind == setOctets {
			elements = "0 . 0, 1 . 1, ..., 255 . 255"
		}
		fmt.Fprintf(&b, "\tset %s { type %s; elements = { %s } }\n", s.name, s.kind, elements)
	}
	for _, c := range t.chains {
		fmt.Fprintf(&b, "\tchain %s {%s\n", c.name, c.head())
		for _, r := range c.rules {
			fmt.Fprintf(&b, "\t\t%s\n", r)
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func (c chain) head() string {
	if c.hook == "" {
		return ""
	}
	kind := "filter"
	if c.nat {
		kind = "nat"
	}
	return fmt.Sprintf(" type %s hook %s priority %d; policy accept", kind, c.hook, c.priority)
}

// String is the rule nearly as nft writes it.
func (r rule) String() string {
	var b strings.Builder
	for _, m := range r.matches {
		b.WriteString(m.String() + " ")
	}
	return b.String() + r.verdict
}

// String is the match nearly as nft writes it.
func (m match) String() string {
	if m.not {
		return fmt.Sprintf("%s != %s", m.field, m.value)
	}
	return fmt.Sprintf("%s %s", m.field, m.value)
}
