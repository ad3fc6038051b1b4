package net

import (
	"testing"

	"github.com/google/nftables"

	"runnel/internal/testenv"
)

// Networks come and go beside each other: a table that has gone since the tables
// were listed is no error, nor is one that is not of our make.
func TestTablesWithoutUplinksClaimNone(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	foreign := c.AddTable(&nftables.Table{Name: tablePrefix + "test03", Family: nftables.TableFamilyIPv4})
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, err := uplinksOf(c, foreign); len(got) != 0 || err != nil {
		t.Errorf("a table without the set: %v, %v", got, err)
	}
	c.DelTable(foreign)
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, err := uplinksOf(c, foreign); len(got) != 0 || err != nil {
		t.Errorf("a table that has gone: %v, %v", got, err)
	}
}
