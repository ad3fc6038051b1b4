package dns

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolvConfIsReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	r := &resolvers{path: path}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	join := func(all []netip.AddrPort) string {
		var s []string
		for _, a := range all {
			s = append(s, a.String())
		}
		return strings.Join(s, " ")
	}
	if got := r.list(); got != nil {
		t.Errorf("without a file: %v", got)
	}
	for _, c := range [][2]string{
		{"# comment\nsearch example.com\nnameserver 127.0.0.53\noptions edns0\n", "127.0.0.53:53"},
		{"nameserver 127.0.0.54\n", "127.0.0.54:53"},
		{"nameserver\nnameserver nonsense\n;nameserver 10.0.0.1\n nameserver fe80::1%eth0\n", "[fe80::1%eth0]:53"},
		{"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n", "10.0.0.1:53 10.0.0.2:53 10.0.0.3:53"},
		{"", ""},
	} {
		write(c[0])
		if got := join(r.list()); got != c[1] {
			t.Errorf("%q: got %s, want %s", c[0], got, c[1])
		}
	}
	write("nameserver 10.0.0.1\n")
	r.list()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := join(r.list()); got != "10.0.0.1:53" {
		t.Errorf("while the file is away: %s", got)
	}
}
