package net

import (
	"fmt"
	stdnet "net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers: reg holds what a match compares; a pair of octets lies in two
// neighbouring ones of four bytes each, which is how sets lay out their keys.
const (
	reg       = unix.NFT_REG_1
	regFirst  = unix.NFT_REG32_00
	regSecond = unix.NFT_REG32_01
)

func compileRule(r rule, sets map[string]*nftables.Set) ([]expr.Any, error) {
	var exprs []expr.Any
	for _, m := range r.matches {
		e, err := compileMatch(m, sets)
		if err != nil {
			return nil, err
		}
		exprs = append(exprs, e...)
	}
	switch verb, object, _ := strings.Cut(r.verdict, " "); verb {
	case "accept":
		return append(exprs, &expr.Verdict{Kind: expr.VerdictAccept}), nil
	case "drop":
		return append(exprs, &expr.Verdict{Kind: expr.VerdictDrop}), nil
	case "jump":
		return append(exprs, &expr.Verdict{Kind: expr.VerdictJump, Chain: object}), nil
	case "masquerade":
		return append(exprs, &expr.Masq{FullyRandom: object == "fully-random"}), nil
	}
	return nil, fmt.Errorf("no such verdict: %s", r.verdict)
}

// compileMatch loads the field into a register and compares it.
func compileMatch(m match, sets map[string]*nftables.Set) ([]expr.Any, error) {
	switch m.field {
	case inLink:
		return compileLink(expr.MetaKeyIIFNAME, m, sets)
	case outLink:
		return compileLink(expr.MetaKeyOIFNAME, m, sets)
	case etherDst:
		mac, err := stdnet.ParseMAC(m.value)
		return []expr.Any{load(expr.PayloadBaseLLHeader, 0, 6, reg), m.compare(mac)}, err
	case etherType:
		return []expr.Any{load(expr.PayloadBaseLLHeader, 12, 2, reg), m.compare(binaryutil.BigEndian.PutUint16(unix.ETH_P_IP))}, nil
	case source:
		return compilePrefix(12, m)
	case destination:
		return compilePrefix(16, m)
	case tracked:
		return compileTracked(m)
	case routeType:
		return []expr.Any{
			&expr.Fib{Register: reg, FlagDADDR: true, ResultADDRTYPE: true},
			m.compare(binaryutil.NativeEndian.PutUint32(unix.RTN_UNICAST)),
		}, nil
	case tcpPort:
		return compileTCPPort(m)
	case thirdOctets:
		return compileOctets(2, m, sets)
	case fourthOctets:
		return compileOctets(3, m, sets)
	}
	return nil, fmt.Errorf("no such field: %s", m.field)
}

// compare lets the rule go on if the register holds data, or does not.
func (m match) compare(data []byte) *expr.Cmp {
	op := expr.CmpOpEq
	if m.not {
		op = expr.CmpOpNeq
	}
	return &expr.Cmp{Op: op, Register: reg, Data: data}
}

// load copies length bytes of a header into a register.
func load(base expr.PayloadBase, offset, length, register uint32) *expr.Payload {
	return &expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: length}
}

func lookup(m match, register uint32, sets map[string]*nftables.Set) (*expr.Lookup, error) {
	s, ok := sets[strings.TrimPrefix(m.value, "@")]
	if !ok {
		return nil, fmt.Errorf("no such set: %s", m.value)
	}
	return &expr.Lookup{SourceRegister: register, SetName: s.Name, SetID: s.ID, Invert: m.not}, nil
}

func compileLink(key expr.MetaKey, m match, sets map[string]*nftables.Set) ([]expr.Any, error) {
	meta := &expr.Meta{Key: key, Register: reg}
	if strings.HasPrefix(m.value, "@") {
		l, err := lookup(m, reg, sets)
		return []expr.Any{meta, l}, err
	}
	if prefix, ok := strings.CutSuffix(m.value, "*"); ok {
		return []expr.Any{meta, m.compare([]byte(prefix))}, nil
	}
	return []expr.Any{meta, m.compare(linkName(m.value))}, nil
}

func compilePrefix(offset uint32, m match) ([]expr.Any, error) {
	p, err := netip.ParsePrefix(m.value)
	return []expr.Any{
		load(expr.PayloadBaseNetworkHeader, offset, 4, reg),
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: stdnet.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4)},
		m.compare(p.Addr().AsSlice()),
	}, err
}

// compileTracked fits if the state is one of those named; several states are
// bits of one mask.
func compileTracked(m match) ([]expr.Any, error) {
	var mask uint32
	for state := range strings.SplitSeq(m.value, ",") {
		switch state {
		case "established":
			mask |= expr.CtStateBitESTABLISHED
		case "related":
			mask |= expr.CtStateBitRELATED
		case "new":
			mask |= expr.CtStateBitNEW
		default:
			return nil, fmt.Errorf("no such state: %s", state)
		}
	}
	isNot := match{not: !m.not} // "one of them" is "not none"
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(mask), Xor: make([]byte, 4)},
		isNot.compare(make([]byte, 4)),
	}, nil
}

// compileOctets looks up an octet of the source address together with the
// octet of the source hardware address that carries it.
func compileOctets(octet uint32, m match, sets map[string]*nftables.Set) ([]expr.Any, error) {
	l, err := lookup(m, regFirst, sets)
	return []expr.Any{
		load(expr.PayloadBaseLLHeader, 6+2+octet, 1, regFirst),
		load(expr.PayloadBaseNetworkHeader, 12+octet, 1, regSecond),
		l,
	}, err
}

// compileTCPPort fits TCP segments to a port.
func compileTCPPort(m match) ([]expr.Any, error) {
	port, err := strconv.ParseUint(m.value, 10, 16)
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg, Data: []byte{unix.IPPROTO_TCP}},
		load(expr.PayloadBaseTransportHeader, 2, 2, reg),
		m.compare(binaryutil.BigEndian.PutUint16(uint16(port))),
	}, err
}
