package net

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
)

// inheritance is what an earlier process has left attached and nobody has taken
// yet. Reattach takes one, Prune the rest; who fails puts it back.
type inheritance struct {
	mu sync.Mutex // guards ports
	// ports holds the index of each instance's port by its address; zero where
	// only a neighbour entry is left of an instance.
	ports map[netip.Addr]int
}

func newInheritance() *inheritance {
	return &inheritance{ports: map[netip.Addr]int{}}
}

func (i *inheritance) put(addr netip.Addr, port int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ports[addr] = port
}

// take reports whether the address was there, and takes it out.
func (i *inheritance) take(addr netip.Addr) (port int, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	port, ok = i.ports[addr]
	delete(i.ports, addr)
	return port, ok
}

// addrs lists the addresses in ascending order.
func (i *inheritance) addrs() []netip.Addr {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.SortedFunc(maps.Keys(i.ports), netip.Addr.Compare)
}
