package doctor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	rnet "runnel/net"
)

// bridge makes a bridge and a veth pair in a network namespace of its own.
func bridge() Finding {
	err := inNamespaces(unix.CLONE_NEWNET, func() error {
		for _, kind := range []string{"bridge", "veth"} {
			if err := addLink("rnldoctor-"+kind[:2], kind); err != nil {
				return fmt.Errorf("make a %s: %w", kind, err)
			}
		}
		return nil
	})
	return tried("bridge and veth", "made", "load the modules: modprobe -a bridge veth", err)
}

// addLink makes a link of the given kind.
func addLink(name, kind string) error {
	var m message
	m.payload = make([]byte, unix.SizeofIfInfomsg)
	m.attribute(unix.IFLA_IFNAME, append([]byte(name), 0))
	var info message
	info.attribute(unix.IFLA_INFO_KIND, []byte(kind))
	m.attribute(unix.IFLA_LINKINFO, info.payload)
	return m.ask(unix.NETLINK_ROUTE, unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
}

// nftables asks a network namespace of its own for the generation of its rules,
// which only a kernel with nftables knows.
func nftables() Finding {
	err := inNamespaces(unix.CLONE_NEWNET, func() error {
		var m message
		m.payload = append(m.payload, unix.AF_UNSPEC, unix.NFNETLINK_V0)
		m.payload = binary.BigEndian.AppendUint16(m.payload, 0)
		return m.ask(unix.NETLINK_NETFILTER, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	})
	return tried("nftables", "answers", "load the modules: modprobe -a nf_tables nft_chain_nat nft_masq nft_ct", err)
}

// forwarding asks what other software on the host does to packets on their way
// through.
func forwarding() Finding {
	if os.Geteuid() != 0 {
		return judgeForwarding(nil, errNeedsRoot)
	}
	return judgeForwarding(rnet.Barriers())
}

// judgeForwarding is the finding about the chains that drop what they do not
// know.
func judgeForwarding(barriers []string, err error) Finding {
	const name = "forwarding"
	switch {
	case errors.Is(err, errNeedsRoot):
		return missing(name, err.Error(), "run with sudo")
	case err != nil:
		return degraded(name, err.Error(), "see to it that no firewall of this host drops what instances send")
	case len(barriers) > 0:
		return degraded(name, "instances may have no way out: a firewall drops what it does not know in "+strings.Join(barriers, ", "),
			"let links rnl* through there: iptables -I FORWARD -i rnl+ -j ACCEPT; iptables -I FORWARD -o rnl+ -j ACCEPT"+
				" (with Docker in DOCKER-USER), or the same with ufw, firewalld or nft")
	}
	return ok(name, "nothing drops what instances send")
}

func resolver() Finding {
	conf, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return degraded("resolver", err.Error(), "write /etc/resolv.conf: instances resolve names through it")
	}
	return judgeResolver(string(conf))
}

// judgeResolver is the finding about the text of resolv.conf.
func judgeResolver(conf string) Finding {
	const name = "resolver"
	var servers []string
	for line := range strings.Lines(conf) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "nameserver" {
			servers = append(servers, words[1])
		}
	}
	if len(servers) == 0 {
		return degraded(name, "/etc/resolv.conf names no server", "instances resolve no names but the metadata server's; add a nameserver")
	}
	return ok(name, strings.Join(servers, ", "))
}
