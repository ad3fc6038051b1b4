package dns

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// hostTTL is for how many seconds an answer of our own may be remembered. The
// addresses never change; it is the instance that does not live long.
const hostTTL = 300

// hosts are the names answered here, in lower case with the dot at the end.
type hosts struct {
	forward map[string]netip.Addr
	// below answers every name below one of its own.
	below   map[string]netip.Addr
	reverse map[string]dnsmessage.Name
}

// newHosts builds both directions. Of several names of an address the longest
// is what its reverse name leads to: the full one rather than its abbreviation.
func newHosts(names map[string]netip.Addr) hosts {
	h := hosts{map[string]netip.Addr{}, map[string]netip.Addr{}, map[string]dnsmessage.Name{}}
	order := make([]string, 0, len(names))
	for name := range names {
		order = append(order, name)
	}
	sort.Slice(order, func(i, j int) bool {
		if len(order[i]) != len(order[j]) {
			return len(order[i]) > len(order[j])
		}
		return order[i] < order[j]
	})
	for _, name := range order {
		addr := names[name].Unmap()
		full := strings.ToLower(strings.TrimSuffix(name, ".")) + "."
		if parent, ok := strings.CutPrefix(full, "*."); ok {
			h.below[parent] = addr
			continue
		}
		h.forward[full] = addr
		target, err := dnsmessage.NewName(full)
		if _, taken := h.reverse[reverseName(addr)]; err == nil && !taken && addr.Is4() {
			h.reverse[reverseName(addr)] = target
		}
	}
	return h
}

// reverseName is the name that the PTR record of an IPv4 address stands under.
func reverseName(addr netip.Addr) string {
	if !addr.Is4() {
		return ""
	}
	a := addr.As4()
	return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", a[3], a[2], a[1], a[0])
}

// answer answers a question about one of the names, or returns nil. A name that
// is known has no record of another type than its own: the answer is empty.
func (h hosts) answer(q query) []byte {
	if q.question.Class != dnsmessage.ClassINET {
		return nil
	}
	name := strings.ToLower(q.question.Name.String())
	header := dnsmessage.ResourceHeader{Name: q.question.Name, Class: dnsmessage.ClassINET, TTL: hostTTL}
	if addr, ok := h.address(name); ok {
		return q.reply(verdictFine, addressRecord(header, addr, q.question.Type))
	}
	if target, ok := h.reverse[name]; ok {
		if q.question.Type != dnsmessage.TypePTR && q.question.Type != dnsmessage.TypeALL {
			return q.reply(verdictFine, nil)
		}
		header.Type = dnsmessage.TypePTR
		return q.reply(verdictFine, &dnsmessage.Resource{Header: header, Body: &dnsmessage.PTRResource{PTR: target}})
	}
	return nil
}

// address is that of a name, or of the closest one that it lies below.
func (h hosts) address(name string) (netip.Addr, bool) {
	if addr, ok := h.forward[name]; ok {
		return addr, true
	}
	for len(h.below) > 0 {
		_, parent, more := strings.Cut(name, ".")
		if !more || parent == "" {
			break
		}
		if addr, ok := h.below[parent]; ok {
			return addr, true
		}
		name = parent
	}
	return netip.Addr{}, false
}

// addressRecord is the record of the wanted type, or nil if addr is of another.
func addressRecord(header dnsmessage.ResourceHeader, addr netip.Addr, want dnsmessage.Type) *dnsmessage.Resource {
	kind := dnsmessage.TypeA
	var body dnsmessage.ResourceBody
	if addr.Is4() {
		body = &dnsmessage.AResource{A: addr.As4()}
	} else {
		kind = dnsmessage.TypeAAAA
		body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
	}
	if want != kind && want != dnsmessage.TypeALL {
		return nil
	}
	header.Type = kind
	return &dnsmessage.Resource{Header: header, Body: body}
}
