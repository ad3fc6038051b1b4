package integration

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"runnel/integration/rig"
)

// knocks is a script that says whether something answers at an address and port.
const knocks = `knock() { nc -w 2 $1 $2 </dev/null >/dev/null 2>&1 && echo open $1 $2 || echo closed; }
`

// contract: MD-1
// A task reaches no port of the host, by whatever address of the host.
func TestHostIsOutOfReach(t *testing.T) {
	h := openHost(t)
	port, visits := rig.ListenEverywhere(t)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err) // the listener does not work, and the test would prove nothing
	}
	if _, err := io.ReadAll(c); err != nil || c.Close() != nil || visits.Load() != 1 {
		t.Fatalf("%d visits, %v", visits.Load(), err)
	}
	o := runJSON(h, h.Script(knocks+fmt.Sprintf(`
		gateway=$(ip route | sed -n 's/^default via \([0-9.]*\).*/\1/p'); echo gateway $gateway
		for at in 127.0.0.1 127.0.0.2 0.0.0.0 169.254.169.254 $gateway; do knock $at %d; done
		ip route add 127.0.0.0/8 via $gateway 2>/dev/null && echo could change routes
		ip link add x type dummy 2>/dev/null && echo could add a link
		nc -w 2 169.254.169.254 80 </dev/null && echo metadata is there`, port))...)
	o.Exits(0)
	texts := o.texts(0, "stdout")
	if len(texts) < 1 || !strings.HasPrefix(texts[0], "gateway 1") {
		t.Fatalf("no gateway: %q", texts)
	}
	if got := strings.Join(texts[1:], ","); got != "closed,closed,closed,closed,closed,metadata is there" {
		t.Errorf("the task says %q", texts)
	}
	if n := visits.Load(); n != 1 {
		t.Errorf("%d visitors came from the task", n-1)
	}
}

// Tasks that run at the same time do not reach each other, nor each other's
// metadata server.
func TestTasksDoNotReachEachOther(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(knocks+`
		me=$(ip -4 addr show | sed -n 's/.*inet \(100[0-9.]*\).*/\1/p'); echo $me
		while :; do echo come in | nc -l -p 8000; done >/dev/null &
		# Until its own server is up, which comes again after each visit.
		for n in $(seq 200); do said=$(knock $me 8000); [ "$said" = closed ] || break; sleep 0.1; done; echo $said
		[ "$(ip route show dev lo 2>/dev/null)" ]
		rest=${me##*.}; net=${me%.*}
		for d in -3 -2 -1 1 2 3; do
			other=$((rest + d)); [ $other -gt 0 ] || continue
			for port in 8000 80 53; do nc -w 1 $net.$other $port </dev/null >/dev/null 2>&1 && echo reached $net.$other $port; done &
		done
		sleep 2; ping -c 1 -W 1 $net.$((rest ^ 1)) >/dev/null 2>&1 && echo pinged
		kill %1 2>/dev/null; exit 0`, "--tasks", "4", "--cpu", "0.2", "--memory", "128Mi")...)
	o.Exits(0)
	if most := len(o.execution.Tasks); most != 4 {
		t.Fatalf("%d tasks", most)
	}
	seen := map[string]bool{}
	for i := range 4 {
		texts := o.texts(i, "stdout")
		if len(texts) != 2 || texts[1] != "open "+texts[0]+" 8000" {
			t.Errorf("task %d says %q, want its address, and that it reaches only itself", i, texts)
			continue
		}
		seen[texts[0]] = true
	}
	if len(seen) < 2 {
		t.Errorf("addresses %v: were there two tasks at a time?", seen)
	}
}

// A task resolves what the host resolves.
func TestNamesAreResolvedByTheHostsResolver(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	serveNames(t)
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.MountOver("/etc/resolv.conf", file)
	o := runJSON(h, h.Script(`cat /etc/resolv.conf; nslookup known.example; nslookup metadata.google.internal; nslookup nowhere.example && echo found; hostname; cat /etc/hosts; exit 0`)...)
	o.Exits(0)
	got := o.text(0, "stdout")
	for _, want := range []string{"nameserver 169.254.169.254", "198.51.100.7", "169.254.169.254\tmetadata.google.internal", "127.0.0.1\tlocalhost"} {
		if !strings.Contains(strings.ReplaceAll(got, "  ", "\t"), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "found") {
		t.Errorf("a name that does not exist was found\n%s", got)
	}
}

// serveNames answers on port 53 of the loopback address: known.example has an
// address, and nothing else exists.
func serveNames(t *testing.T) {
	t.Helper()
	p, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer, err := answerName(buf[:n]); err == nil {
				_, _ = p.WriteTo(answer, from) // the asker asks again
			}
		}
	})
	t.Cleanup(func() {
		_ = p.Close() // ends ReadFrom
		serving.Wait()
	})
}

func answerName(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("query %x: %w", query, err)
	}
	m.Response, m.Additionals = true, nil
	switch q := m.Questions[0]; {
	case q.Name.String() != "known.example.":
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte{198, 51, 100, 7}},
		}}
	}
	return m.Pack()
}
