package net

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Barriers names the chains, each as "family table chain", with which other
// software on the host keeps instances from the world: those that drop every
// forwarded packet they do not know, and whose table does not speak of the
// links of networks like this one. A network cannot do anything about them: a
// packet that one chain accepts still goes through all others.
//
// Chains of the older iptables, which are not in nftables, are not seen. It
// needs CAP_NET_ADMIN.
func Barriers() ([]string, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	chains, err := c.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list chains: %w", err)
	}
	var names []string
	for _, ch := range chains {
		if !forwards(ch) || strings.HasPrefix(ch.Table.Name, tablePrefix) {
			continue
		}
		closed, err := closes(c, ch)
		if err != nil {
			return nil, err
		}
		if !closed {
			continue
		}
		told, err := speaksOfLinks(c, chains, ch.Table)
		if err != nil {
			return nil, err
		}
		if !told {
			names = append(names, fmt.Sprintf("%s %s %s", familyName(ch.Table.Family), ch.Table.Name, ch.Name))
		}
	}
	return names, nil
}

// forwards reports whether forwarded IPv4 packets go through a chain.
func forwards(ch *nftables.Chain) bool {
	return familyName(ch.Table.Family) != "" && ch.Hooknum != nil && *ch.Hooknum == *nftables.ChainHookForward
}

// familyName is the name of a family whose tables see IPv4 packets, empty for
// every other.
func familyName(f nftables.TableFamily) string {
	switch f {
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyINet:
		return "inet"
	}
	return ""
}

// closes reports whether a chain drops what comes to its end: by its policy, or
// by a last rule that asks for nothing.
func closes(c *nftables.Conn, ch *nftables.Chain) (bool, error) {
	if ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop {
		return true, nil
	}
	rules, err := rulesOf(c, ch)
	if err != nil || len(rules) == 0 {
		return false, err
	}
	for _, e := range rules[len(rules)-1].Exprs {
		switch e := e.(type) {
		case *expr.Counter, *expr.Log:
		case *expr.Reject:
			return true, nil
		case *expr.Verdict:
			return e.Kind == expr.VerdictDrop, nil
		default:
			return false, nil
		}
	}
	return false, nil
}

// speaksOfLinks reports whether a rule of the table compares something with the
// name of a network's link, or the beginning of all such names.
func speaksOfLinks(c *nftables.Conn, chains []*nftables.Chain, t *nftables.Table) (bool, error) {
	for _, ch := range chains {
		if ch.Table.Name != t.Name || ch.Table.Family != t.Family {
			continue
		}
		rules, err := rulesOf(c, ch)
		if err != nil {
			return false, err
		}
		for _, r := range rules {
			for _, e := range r.Exprs {
				if cmp, ok := e.(*expr.Cmp); ok && bytes.HasPrefix(cmp.Data, []byte(linkPrefix)) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

func rulesOf(c *nftables.Conn, ch *nftables.Chain) ([]*nftables.Rule, error) {
	rules, err := c.GetRules(ch.Table, ch)
	if err != nil {
		return nil, fmt.Errorf("list rules of chain %s: %w", ch.Name, err)
	}
	return rules, nil
}
