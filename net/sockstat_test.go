package net

import (
	"strings"
	"testing"
)

const (
	quiet4 = "sockets: used 3\nTCP: inuse 2 orphan 4 tw 0 alloc 9 mem 150\nUDP: inuse 1 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n"
	quiet6 = "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n"
)

func TestSockstatIsQuietOnlyWithoutAnythingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, new string
		quiet          bool
	}{
		{"as new", "", "", true},
		{"fewer", "used 3", "used 2", false},
		{"another family", "used 3", "used 4", false},
		{"TIME_WAIT", "tw 0", "tw 1", false},
		{"fragments", "FRAG: inuse 0", "FRAG: inuse 1", false},
		{"IPv6 fragments", "FRAG6: inuse 0", "FRAG6: inuse 1", false},
		{"more by protocol", "RAW: inuse 0", "RAW: inuse 1", false},
		{"more by IPv6 protocol", "TCP6: inuse 0", "TCP6: inuse 1", false},
		{"the host's orphans", "orphan 4", "orphan 9", true},
	} {
		s := sockstat{}
		if err := s.add(strings.Replace(quiet4+quiet6, c.old, c.new, 1)); err != nil {
			t.Fatal(err)
		}
		if err := s.complete(); err != nil {
			t.Fatal(err)
		}
		if got := s.quiet(3); got != c.quiet {
			t.Errorf("%s: quiet is %v, want %v", c.name, got, c.quiet)
		}
	}
}

func TestSockstatRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"nonsense\n", "TCP: inuse\n", "TCP: inuse many\n"} {
		if err := (sockstat{}).add(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if err := (sockstat{}).complete(); err == nil {
		t.Error("an empty sockstat is complete")
	}
}
