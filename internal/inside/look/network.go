package look

import "net"

// Network is how the process reaches others, and by which names.
type Network struct {
	// Hosts, HostnameFile and Resolver are /etc/hosts, /etc/hostname and
	// /etc/resolv.conf.
	Hosts        string `json:"hosts"`
	HostnameFile string `json:"hostnameFile"`
	Resolver     string `json:"resolver"`
	// Addresses are those of each interface.
	Addresses map[string][]string `json:"addresses"`
	// Routes is /proc/net/route.
	Routes string `json:"routes"`
	// Localhost is what the name leads to.
	Localhost []string `json:"localhost"`
}

func network() Network {
	n := Network{Hosts: textOf("/etc/hosts"), HostnameFile: textOf("/etc/hostname"), Resolver: textOf("/etc/resolv.conf"),
		Routes: textOf("/proc/net/route"), Addresses: map[string][]string{}}
	links, _ := net.Interfaces() // none, where it may not ask
	for _, link := range links {
		addresses, _ := link.Addrs() // as above
		n.Addresses[link.Name] = []string{}
		for _, a := range addresses {
			n.Addresses[link.Name] = append(n.Addresses[link.Name], a.String())
		}
	}
	n.Localhost, _ = net.LookupHost("localhost") // empty where nobody knows
	return n
}
