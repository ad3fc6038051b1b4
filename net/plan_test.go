package net

import (
	"flag"
	"fmt"
	stdnet "net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestPlanIsGolden(t *testing.T) {
	t.Parallel()
	p := Plan{Name: "a1b2c3", Subnet: netip.MustParsePrefix("100.64.0.0/16"), MTU: 1460, Uplinks: []string{"eth0", "wg0"}, Doors: []uint16{8080, 8443}}
	var b strings.Builder
	fmt.Fprintf(&b, "bridge %s %v/%d %v mtu %d group %#x\n", p.Bridge(), p.Gateway(), p.Subnet.Bits(), macOf(p.Gateway()), p.MTU, p.dyingGroup())
	for _, addr := range []string{"100.64.0.2", "100.64.1.255", "100.64.255.254"} {
		e := p.Endpoint(netip.MustParseAddr(addr))
		fmt.Fprintf(&b, "endpoint %s %v %v\n", e.Port, e.Addr, e.MAC)
	}
	for _, s := range append(instanceSysctls(), bridgeSysctls(p.Bridge())...) {
		fmt.Fprintf(&b, "sysctl %s = %s\n", s.path, s.value)
	}
	for _, table := range p.tables() {
		b.WriteString("\n" + table.String())
	}
	golden(t, "plan.golden", b.String())
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; run the test with -update and look at the difference. Got:\n%s", path, got)
	}
}

func TestConfigValidateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		want   string // part of the error; empty if there is none
	}{
		{Config{Name: "a1b2c3"}, ""},
		{Config{Name: "a1b2c3", Subnet: netip.MustParsePrefix("10.9.0.0/16")}, ""},
		{Config{Name: "a", Subnet: netip.MustParsePrefix("10.9.8.16/28")}, ""},
		{Config{}, "network name"},
		{Config{Name: "a-b"}, "network name"},
		{Config{Name: "12345678"}, "network name"},
		{Config{Name: "A"}, "network name"},
		{Config{Name: "a", Subnet: netip.MustParsePrefix("10.9.8.1/24")}, "want an IPv4 network"},
		{Config{Name: "a", Subnet: netip.MustParsePrefix("fd00::/16")}, "want an IPv4 network"},
		{Config{Name: "a", Subnet: netip.MustParsePrefix("10.0.0.0/15")}, "want a prefix between"},
		{Config{Name: "a", Subnet: netip.MustParsePrefix("10.0.0.0/29")}, "want a prefix between"},
	} {
		err := c.config.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.config, err, c.want)
		}
	}
}

func TestLinkNamesFitTheKernel(t *testing.T) {
	t.Parallel()
	p := Plan{Name: "zzzzzzz", Subnet: netip.MustParsePrefix("100.64.0.0/16")}
	if name := p.Endpoint(netip.MustParseAddr("100.64.255.254")).Port; len(name) > 15 {
		t.Errorf("port name %s has %d bytes, the kernel takes 15", name, len(name))
	}
}

func TestFreeSubnet(t *testing.T) {
	t.Parallel()
	prefixes := func(all ...string) (ps []netip.Prefix) {
		for _, s := range all {
			ps = append(ps, netip.MustParsePrefix(s))
		}
		return ps
	}
	for _, c := range []struct {
		name string
		used []netip.Prefix
		want string // empty: none
	}{
		{"nothing used", nil, "100.64.0.0/16"},
		{"default route", prefixes("0.0.0.0/0"), "100.64.0.0/16"},
		{"elsewhere", prefixes("10.0.0.0/8", "192.168.0.0/16"), "100.64.0.0/16"},
		{"one address of the first", prefixes("100.64.9.9/32"), "100.65.0.0/16"},
		{"larger than a candidate", prefixes("100.64.0.0/13"), "100.72.0.0/16"},
		{"all but the last", prefixes("100.64.0.0/11", "100.96.0.0/12", "100.112.0.0/13", "100.120.0.0/14", "100.124.0.0/15", "100.126.0.0/16"), "100.127.0.0/16"},
		{"all", prefixes("100.64.0.0/10"), ""},
		{"half of everything", prefixes("0.0.0.0/1"), ""},
	} {
		got, err := freeSubnet(c.used)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: got %v, want none", c.name, got)
			}
			continue
		}
		if err != nil || got.String() != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestDyingGroupsDifferAndStayClearOfSmallNumbers(t *testing.T) {
	t.Parallel()
	seen := map[uint32]string{}
	for i := range 4096 {
		name := fmt.Sprintf("%06x", i*4099)
		group := Plan{Name: name}.dyingGroup()
		if group < 1<<16 {
			t.Fatalf("%s: group %d", name, group)
		}
		if other, ok := seen[group]; ok {
			t.Fatalf("%s and %s share group %#x", name, other, group)
		}
		seen[group] = name
	}
}

func TestPortsAndHardwareAddressesTellTheAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subnet, name string
		want         string // empty: not a port of an instance
	}{
		{"100.64.0.0/16", "rnla-0002", "100.64.0.2"},
		{"100.64.0.0/16", "rnla-fffe", "100.64.255.254"},
		{"10.9.8.16/28", "rnla-0812", "10.9.8.18"},
		{"10.9.8.16/28", "rnla-0810", ""}, // the network
		{"10.9.8.16/28", "rnla-0811", ""}, // the gateway
		{"10.9.8.16/28", "rnla-081f", ""}, // everybody
		{"10.9.8.16/28", "rnla-0912", ""}, // outside
		{"100.64.0.0/16", "rnla-00FF", ""},
		{"100.64.0.0/16", "rnla-02", ""},
		{"100.64.0.0/16", "rnla-000002", ""},
		{"100.64.0.0/16", "rnla", ""},
		{"100.64.0.0/16", "0002", ""},
	} {
		p := Plan{Name: "a", Subnet: netip.MustParsePrefix(c.subnet)}
		addr, ok := p.addrOfPort(c.name)
		if ok != (c.want != "") || ok && addr.String() != c.want {
			t.Errorf("%s in %s: got %v, %v, want %q", c.name, c.subnet, addr, ok, c.want)
		}
		if !ok {
			continue
		}
		if back, ok := addrOfMAC(p.Endpoint(addr).MAC); !ok || back != addr {
			t.Errorf("hardware address of %v tells %v, %v", addr, back, ok)
		}
	}
	for _, other := range []string{"02:42:64:40:00:02", "00:72:64:40:00:02", "02:72:64:40:00:02:00:01"} {
		mac, err := stdnet.ParseMAC(other)
		if err != nil {
			t.Fatal(err)
		}
		if addr, ok := addrOfMAC(mac); ok {
			t.Errorf("%s tells %v", other, addr)
		}
	}
}
