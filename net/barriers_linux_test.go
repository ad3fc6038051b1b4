package net

import (
	"slices"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// firewall adds a table with one chain as other software would, until the test
// ends.
func firewall(t *testing.T, table *nftables.Table, policy nftables.ChainPolicy, rules ...[]expr.Any) {
	t.Helper()
	err := flush(func(c *nftables.Conn) error {
		c.AddTable(table)
		chain := c.AddChain(&nftables.Chain{
			Table: table, Name: "FORWARD", Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &policy,
		})
		for _, exprs := range rules {
			c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := flush(func(c *nftables.Conn) error { c.DelTable(table); return nil }); err != nil {
			t.Error(err)
		}
	})
}

// lets accepts packets by a link, and by its name's beginning if that ends
// with "*".
func lets(t *testing.T, f field, link string) []expr.Any {
	t.Helper()
	exprs, err := compileRule(accept(on(f, link)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return exprs
}

func TestBarriersAreWhatKeepsInstancesFromTheWorld(t *testing.T) {
	drops := []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}
	rejects := []expr.Any{&expr.Reject{Type: 0, Code: 3}}
	for _, c := range []struct {
		name   string
		family nftables.TableFamily
		policy nftables.ChainPolicy
		rules  [][]expr.Any
		closed bool
	}{
		{"open", nftables.TableFamilyIPv4, nftables.ChainPolicyAccept, nil, false},
		{"closed by its policy", nftables.TableFamilyIPv4, nftables.ChainPolicyDrop, nil, true},
		{"of both families", nftables.TableFamilyINet, nftables.ChainPolicyDrop, nil, true},
		{"closed but for another link", nftables.TableFamilyIPv4, nftables.ChainPolicyDrop, [][]expr.Any{lets(t, inLink, "docker0")}, true},
		{"closed by its last rule", nftables.TableFamilyIPv4, nftables.ChainPolicyAccept, [][]expr.Any{lets(t, inLink, "docker0"), drops}, true},
		{"rejecting", nftables.TableFamilyIPv4, nftables.ChainPolicyAccept, [][]expr.Any{rejects}, true},
		{"told of the bridges", nftables.TableFamilyIPv4, nftables.ChainPolicyDrop, [][]expr.Any{lets(t, inLink, "rnl*"), lets(t, outLink, "rnl*")}, false},
		{"told of the bridge", nftables.TableFamilyINet, nftables.ChainPolicyAccept, [][]expr.Any{lets(t, inLink, "rnltest01"), lets(t, outLink, "rnltest01"), drops}, false},
		{"of no concern", nftables.TableFamilyIPv6, nftables.ChainPolicyDrop, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			a, beyond := w.attach(t), w.greet(t, w.beyond, "")
			firewall(t, &nftables.Table{Family: c.family, Name: "other"}, c.policy, c.rules...)
			barriers, err := Barriers()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			wait := 5 * time.Second
			if c.closed {
				wait = patience
				want = []string{map[nftables.TableFamily]string{nftables.TableFamilyIPv4: "ip", nftables.TableFamilyINet: "inet"}[c.family] + " other FORWARD"}
			}
			if !slices.Equal(barriers, want) {
				t.Errorf("barriers are %q, want %q", barriers, want)
			}
			// The kernel agrees.
			if seen, err := w.reach(a.Namespace(), "tcp4", beyondAddr, beyond.port, wait); (err != nil) != c.closed {
				t.Errorf("closed %v, but seen as %q: %v", c.closed, seen, err)
			}
		})
	}
}
