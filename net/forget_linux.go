package net

import "fmt"

// Forget drops what the host remembers of the instance's connections: the
// entries of its connection-tracking table that have the address at one of
// their ends. Whoever uses the namespace next would otherwise get what is
// still under way to the one before, and could be reached from outside by the
// flows that one opened. Nobody may send in the namespace meanwhile.
//
// It costs next to nothing if the instance has sent and received nothing since
// the last call, and one pass over the table in the kernel otherwise. A kernel
// that cannot be asked about its table (no CONFIG_NF_CT_NETLINK) keeps the
// entries until they time out, which is no error.
func (a *Attachment) Forget() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.network.mu.RLock()
	defer a.network.mu.RUnlock()
	if a.ns == nil || a.network.state != a.state {
		return nil // cut off, so nobody uses it next
	}
	link, err := a.state.netlink.LinkByIndex(a.port)
	if err != nil {
		return fmt.Errorf("forget the connections of %v: count packets: %w", a.endpoint.Addr, err)
	}
	packets := link.Attrs().Statistics.RxPackets + link.Attrs().Statistics.TxPackets
	if packets == a.forgotten {
		return nil
	}
	if err := a.state.conntrack.forget(a.endpoint.Addr); err != nil {
		return fmt.Errorf("forget the connections of %v: %w", a.endpoint.Addr, err)
	}
	a.forgotten = packets
	return nil
}
