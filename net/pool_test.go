package net

import (
	"errors"
	"net/netip"
	"testing"
)

func TestPoolLendsEveryAddressOnce(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.1.2.16/28"), 100)
	seen := map[netip.Addr]bool{}
	for range 13 { // 16 without network, gateway and broadcast
		a, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		if seen[a] {
			t.Fatalf("%v lent twice", a)
		}
		seen[a] = true
	}
	for _, never := range []string{"10.1.2.16", "10.1.2.17", "10.1.2.31"} {
		if seen[netip.MustParseAddr(never)] {
			t.Errorf("%s lent", never)
		}
	}
	if _, err := p.take(); !errors.Is(err, ErrFull) {
		t.Errorf("from the empty pool: %v, want ErrFull", err)
	}
}

func TestPoolReturnsToAnAddressLast(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.1.2.16/28"), 100)
	first, _ := p.take()
	p.put(first)
	for range 12 {
		a, err := p.take()
		if err != nil || a == first {
			t.Fatalf("got %v, %v before all others were lent", a, err)
		}
		p.put(a)
	}
	if a, _ := p.take(); a != first {
		t.Errorf("got %v, want %v again after the round", a, first)
	}
}

func TestPoolKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.1.0.0/16"), 2)
	a, _ := p.take()
	if _, err := p.take(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.take(); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit: %v, want ErrFull", err)
	}
	p.put(a)
	if _, err := p.take(); err != nil {
		t.Errorf("after one was returned: %v", err)
	}
}

func TestPoolGoesOnAfterWhatIsLent(t *testing.T) {
	t.Parallel()
	lent := []netip.Addr{netip.MustParseAddr("10.1.2.20"), netip.MustParseAddr("10.1.2.24")}
	p := newPool(netip.MustParsePrefix("10.1.2.16/28"), 100, lent...)
	for _, want := range []string{"10.1.2.25", "10.1.2.26", "10.1.2.27", "10.1.2.28", "10.1.2.29", "10.1.2.30",
		"10.1.2.18", "10.1.2.19", "10.1.2.21", "10.1.2.22", "10.1.2.23"} {
		if got, err := p.take(); err != nil || got.String() != want {
			t.Errorf("got %v (%v), want %s", got, err, want)
		}
	}
	if _, err := p.take(); !errors.Is(err, ErrFull) {
		t.Errorf("from the empty pool: %v, want ErrFull", err)
	}
	last := newPool(netip.MustParsePrefix("10.1.2.16/28"), 100, netip.MustParseAddr("10.1.2.30"))
	if got, err := last.take(); err != nil || got.String() != "10.1.2.18" {
		t.Errorf("after the last address: %v (%v), want the first", got, err)
	}
}
