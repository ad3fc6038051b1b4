package net

import (
	"fmt"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// replaceTables makes the tables anew, all in one transaction: there is no
// moment at which the old are gone and the new are not there.
func replaceTables(tables []table) error {
	return flush(func(c *nftables.Conn) error {
		id := uint32(0)
		nextID := func() uint32 { id++; return id }
		for _, t := range tables {
			kt := &nftables.Table{Family: family(t.family), Name: t.name}
			c.AddTable(kt) // so that there is one to delete
			c.DelTable(kt)
			c.AddTable(kt)
			if err := addTable(c, kt, t, nextID); err != nil {
				return fmt.Errorf("table %s %s: %w", t.family, t.name, err)
			}
		}
		return nil
	})
}

// deleteTables removes the tables of a network; those that are not there do
// not matter.
func deleteTables(name string) error {
	return flush(func(c *nftables.Conn) error {
		for _, f := range []string{"bridge", "ip"} {
			kt := &nftables.Table{Family: family(f), Name: name}
			c.AddTable(kt)
			c.DelTable(kt)
		}
		return nil
	})
}

// flush sends what fill puts together as one transaction.
func flush(fill func(*nftables.Conn) error) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	if err := fill(c); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("nftables transaction: %w", err)
	}
	return nil
}

func family(name string) nftables.TableFamily {
	if name == "bridge" {
		return nftables.TableFamilyBridge
	}
	return nftables.TableFamilyIPv4
}

// addTable adds what a table holds: sets first, because rules name them, and
// all chains before the rules that jump to them. nextID numbers the sets of one
// transaction.
func addTable(c *nftables.Conn, kt *nftables.Table, t table, nextID func() uint32) error {
	sets := map[string]*nftables.Set{}
	for _, s := range t.sets {
		ks, elements, err := compileSet(kt, s)
		if err != nil {
			return fmt.Errorf("set %s: %w", s.name, err)
		}
		ks.ID = nextID()
		if err := c.AddSet(ks, elements); err != nil {
			return fmt.Errorf("set %s: %w", s.name, err)
		}
		sets[s.name] = ks
	}
	chains := make([]*nftables.Chain, len(t.chains))
	for i, ch := range t.chains {
		chains[i] = c.AddChain(compileChain(kt, ch))
	}
	for i, ch := range t.chains {
		for _, r := range ch.rules {
			exprs, err := compileRule(r, sets)
			if err != nil {
				return fmt.Errorf("rule %q: %w", r, err)
			}
			c.AddRule(&nftables.Rule{Table: kt, Chain: chains[i], Exprs: exprs})
		}
	}
	return nil
}

func compileSet(kt *nftables.Table, s set) (*nftables.Set, []nftables.SetElement, error) {
	ks := &nftables.Set{Table: kt, Name: s.name}
	var elements []nftables.SetElement
	switch s.kind {
	case setLinks:
		ks.KeyType = nftables.TypeIFName
		for _, name := range s.links {
			elements = append(elements, nftables.SetElement{Key: linkName(name)})
		}
		return ks, elements, nil
	case setOctets:
		// nft has no type for an octet in a register, which has four; a mark is
		// the plain number that it can list.
		pair, err := nftables.ConcatSetType(nftables.TypeMark, nftables.TypeMark)
		if err != nil {
			return nil, nil, err
		}
		ks.KeyType, ks.Concatenation = pair, true
		for o := range 256 {
			elements = append(elements, nftables.SetElement{Key: []byte{byte(o), 0, 0, 0, byte(o), 0, 0, 0}})
		}
		return ks, elements, nil
	}
	return nil, nil, fmt.Errorf("no such kind of set: %s", s.kind)
}

func compileChain(kt *nftables.Table, ch chain) *nftables.Chain {
	kc := &nftables.Chain{Table: kt, Name: ch.name}
	if ch.hook == "" {
		return kc
	}
	// The bridge family numbers these hooks as the ip family does.
	hook := map[string]*nftables.ChainHook{
		"prerouting":  nftables.ChainHookPrerouting,
		"input":       nftables.ChainHookInput,
		"forward":     nftables.ChainHookForward,
		"postrouting": nftables.ChainHookPostrouting,
	}[ch.hook]
	policy := nftables.ChainPolicyAccept
	kc.Hooknum, kc.Policy = hook, &policy
	kc.Priority = nftables.ChainPriorityRef(nftables.ChainPriority(ch.priority))
	kc.Type = nftables.ChainTypeFilter
	if ch.nat {
		kc.Type = nftables.ChainTypeNAT
	}
	return kc
}

// linkName is a name as the kernel compares it.
func linkName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}
