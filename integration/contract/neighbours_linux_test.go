package contract

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
)

// neighbour is a service whose instance does what it is told, and says where it
// is.
type neighbour struct {
	d                *rig.Daemon
	name             string
	address, gateway netip.Addr
	// mac and router are the hardware addresses of both.
	mac, router string
}

// newNeighbour deploys one.
func newNeighbour(d *rig.Daemon, name string) neighbour {
	d.Host.Helper()
	d.CLI("deploy", name, "--image", d.Host.Inside(), "--allow-unauthenticated", "--memory", "128Mi", "--max-instances", "1").Exits(0)
	n := neighbour{d: d, name: name}
	var report look.Report
	n.does("report?only=network", &report)
	for _, a := range report.Network.Addresses["eth0"] {
		if p, err := netip.ParsePrefix(a); err == nil {
			n.address = p.Addr()
		}
	}
	for line := range strings.Lines(report.Network.Routes) {
		// Interface, destination, gateway; the bytes are in the machine's order.
		if f := strings.Fields(line); len(f) > 2 && f[1] == "00000000" {
			b, err := hex.DecodeString(f[2])
			if slices.Reverse(b); err == nil {
				n.gateway, _ = netip.AddrFromSlice(b)
			}
		}
	}
	n.mac = strings.TrimSpace(n.runs("cat /sys/class/net/eth0/address"))
	for line := range strings.Lines(n.runs("cat /proc/net/arp")) {
		if f := strings.Fields(line); len(f) > 3 && f[0] == n.gateway.String() {
			n.router = f[3]
		}
	}
	if !n.address.IsValid() || !n.gateway.IsValid() || n.mac == "" || n.router == "" {
		d.Host.Fatalf("%+v is not all that %+v tells", n, report.Network)
	}
	return n
}

// does has it do something and reads what came of it.
func (n neighbour) does(action string, into any) {
	n.d.Host.Helper()
	n.d.Get(n.name, "/"+action).Is(n.d.Host, 200).Decode(n.d.Host, into)
}

// runs is what a script prints in there.
func (n neighbour) runs(script string) string {
	n.d.Host.Helper()
	var ended struct{ Stdout, Stderr, Error string }
	n.does("run?"+url.Values{"arg": {"sh", "-c", script}}.Encode(), &ended)
	return ended.Stdout
}

// reaches is which of some addresses it connects to, all tried at once.
func (n neighbour) reaches(addresses []string) (reached []string) {
	n.d.Host.Helper()
	client := n.d.Requests()
	answers := make([]rig.Answer, len(addresses))
	var asking sync.WaitGroup
	for i, to := range addresses {
		asking.Go(func() {
			answers[i] = n.d.Ask(client, http.MethodGet, n.name, "/connect?for=3s&address="+url.QueryEscape(to), nil)
		})
	}
	asking.Wait()
	for i, a := range answers {
		var said struct{ Connected bool }
		a.Is(n.d.Host, 200).Decode(n.d.Host, &said)
		if said.Connected {
			reached = append(reached, addresses[i])
		}
	}
	return reached
}

// careless accepts on every address of the host, some of which it gets for it,
// and counts who comes.
func careless(t *testing.T, addresses ...string) (port string, visits *atomic.Int64) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(a), Mask: net.CIDRMask(32, 32)}}
		if err := netlink.AddrAdd(lo, addr); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := netlink.AddrDel(lo, addr); err != nil {
				t.Error(err)
			}
		})
	}
	at, visits := rig.ListenEverywhere(t)
	return fmt.Sprint(at), visits
}

// contract: ATK-17
func TestATK17InstancesReachNothingButWhatIsTheirs(t *testing.T) {
	d := daemon(t)
	const hostLocal, hostWorld = "169.254.7.7", "203.0.113.7"
	port, visits := careless(t, hostLocal, hostWorld)
	n, other := newNeighbour(d, nameOf(t)), newNeighbour(d, nameOf(t, "other"))
	_, api, _ := net.SplitHostPort(d.Address)
	hosts := []string{"127.0.0.1", "127.0.0.2", "0.0.0.0", n.gateway.String(), hostLocal, hostWorld}
	var shut []string
	for _, host := range hosts {
		shut = append(shut, host+":"+port, host+":"+api)
	}
	// Whatever clouds have at link-local addresses, and the metadata server of others.
	shut = append(shut, "169.254.169.254:8081", "169.254.169.254:"+port, "169.254.169.253:53", "169.254.169.253:80", "169.254.170.2:80", "169.254.0.1:80")
	for _, p := range []string{"8080", "80", "53"} {
		shut = append(shut, other.address.String()+":"+p)
	}
	for next, i := n.address.Next(), 0; i < 8; next, i = next.Next(), i+1 {
		if next != other.address {
			shut = append(shut, next.String()+":8080")
		}
	}
	if reached := n.reaches(shut); len(reached) > 0 {
		t.Errorf("an instance reaches %q", reached)
	}
	if v := visits.Load(); v > 0 {
		t.Errorf("%d visitors came from the instance", v)
	}
	open := []string{"169.254.169.254:80", "169.254.169.254:53", n.address.String() + ":8080"}
	if reached := n.reaches(open); !slices.Equal(reached, open) {
		t.Errorf("an instance reaches %q, want %q", reached, open)
	}
	// The host itself reaches all of it.
	for _, to := range append(hosts[3:], other.address.String()+":8080") {
		if !strings.Contains(to, ":") {
			to += ":" + port
		}
		c, err := net.DialTimeout("tcp4", to, rig.Patience())
		if err == nil {
			_, _ = io.ReadAll(io.LimitReader(c, 0))
			err = c.Close()
		}
		if err != nil {
			t.Errorf("the host does not reach %s: %v", to, err)
		}
	}
}

// contract: ATK-18
func TestATK18FramesOfAnInstanceReachNoOther(t *testing.T) {
	d := daemon(t)
	n, victim := newNeighbour(d, nameOf(t)), newNeighbour(d, nameOf(t, "victim"))
	table := victim.runs("cat /proc/net/arp")
	var heard struct {
		Frames []struct {
			From, Kind string
			Forged     bool
		}
	}
	sniffed := make(chan rig.Answer, 1)
	client := d.Requests()
	go func() { sniffed <- d.Ask(client, http.MethodGet, victim.name, "/sniff?for=6s", nil) }()
	forgery := "forge?" + url.Values{"mac": {victim.mac}, "router": {n.router}, "address": {victim.address.String()}, "gateway": {n.gateway.String()}}.Encode()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case a := <-sniffed:
			a.Is(d.Host, 200).Decode(d.Host, &heard)
			over = true
		case <-tick.C:
			var left struct{ Sent int }
			if n.does(forgery, &left); left.Sent < 50 {
				t.Errorf("only %d frames have left", left.Sent)
			}
			victim.runs("true") // which comes behind them
		}
	}
	if len(heard.Frames) == 0 {
		t.Error("not even the host's frames have come in")
	}
	for _, f := range heard.Frames {
		if f.Forged || f.From != victim.router || f.Kind != "0800" {
			t.Errorf("the other instance has received %+v", f)
		}
	}
	if after := victim.runs("cat /proc/net/arp"); after != table {
		t.Errorf("its neighbours were\n%s\nand are\n%s", table, after)
	}
	for _, at := range []netip.Addr{victim.address, n.gateway} {
		if got := n.runs(fmt.Sprintf("arping -c 2 -w 3 -I eth0 %v; ping -c 1 -W 2 %v", at, at)); strings.Contains(got, "1 packets received") || strings.Contains(got, "reply from") {
			t.Errorf("%v answers: %s", at, got)
		}
	}
}
