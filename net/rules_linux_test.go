package net

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/nftables"
)

// rulesOfTable tells what the kernel has of the tables of a name: chains, rules
// and elements of sets.
func rulesOfTable(t *testing.T, name string) string {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	chains, err := c.ListChains()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, ch := range chains {
		if ch.Table.Name != name {
			continue
		}
		fmt.Fprintf(&b, "%v %s\n", ch.Table.Family, ch.Name)
		rules, err := c.GetRules(ch.Table, ch)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			text, err := json.Marshal(r.Exprs)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "\t%s\n", text)
		}
	}
	links, err := claims(name, true)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, "uplinks", links)
	return b.String()
}
