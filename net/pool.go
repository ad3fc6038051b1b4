package net

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// pool lends the addresses of a subnet. It goes round: a returned address is
// lent again only after all others, because remote ends and the host's
// connection table remember an address for a while. An Attachment that is used
// again keeps its address; that is what Forget is for.
type pool struct {
	first netip.Addr // first address that may be lent
	size  int
	limit int

	mu    sync.Mutex // guards the fields below
	next  int        // where the search begins
	taken map[int]struct{}
}

// newPool lends the addresses of subnet without its first, which names the
// network, its second, which is the gateway's, and its last, the broadcast
// address; at most limit at a time. Those named as lent are, and it goes on
// after the last of them.
func newPool(subnet netip.Prefix, limit int, lent ...netip.Addr) *pool {
	p := &pool{
		first: subnet.Addr().Next().Next(),
		size:  1<<(32-subnet.Bits()) - 3,
		limit: limit,
		taken: map[int]struct{}{},
	}
	for _, addr := range lent {
		i := subAddr(addr, p.first)
		p.taken[i] = struct{}{}
		p.next = max(p.next, (i+1)%p.size)
	}
	return p
}

// take lends an address, or returns ErrFull.
func (p *pool) take() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.taken) >= min(p.size, p.limit) {
		return netip.Addr{}, ErrFull
	}
	for {
		i := p.next
		p.next = (p.next + 1) % p.size
		if _, busy := p.taken[i]; !busy {
			p.taken[i] = struct{}{}
			return addAddr(p.first, i), nil
		}
	}
}

// put takes an address back.
func (p *pool) put(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, subAddr(addr, p.first))
}

// addAddr is the address n after a, and subAddr the distance of a from b.
func addAddr(a netip.Addr, n int) netip.Addr {
	b := a.As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(n))
	return netip.AddrFrom4(b)
}

func subAddr(a, b netip.Addr) int {
	x, y := a.As4(), b.As4()
	return int(binary.BigEndian.Uint32(x[:]) - binary.BigEndian.Uint32(y[:]))
}
