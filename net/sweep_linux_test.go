package net

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/nftables"

	"runnel/internal/testenv"
)

// tablesNamed counts the host's tables of a name, over all families.
func tablesNamed(t *testing.T, name string) (n int) {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		if table.Name == name {
			n++
		}
	}
	return n
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{}
	w.addUplink(t)
	crashed, living := New(Config{Name: "test01"}), New(Config{Name: "test02"})
	if err := errors.Join(crashed.Setup(t.Context()), living.Setup(t.Context())); err != nil {
		t.Fatal(err)
	}
	a, err := crashed.Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	survivor := a.ns // somebody holds the namespace on
	defer survivor.Close()
	crash(t, crashed)

	for range 2 { // the second finds nothing
		if err := Sweep(t.Context(), "test01"); err != nil {
			t.Fatal(err)
		}
		if got := linksNamed(t, "rnltest01"); len(got) > 0 {
			t.Errorf("links are left: %q", got)
		}
		if n := tablesNamed(t, "runnel-test01"); n > 0 {
			t.Errorf("%d tables are left", n)
		}
		if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "1" {
			t.Errorf("forwarding is %q (%v) though another network needs it", got, err)
		}
		if links, n := linksNamed(t, "rnltest02"), tablesNamed(t, "runnel-test02"); len(links) != 1 || n != 2 {
			t.Errorf("another network has links %q and %d tables", links, n)
		}
	}
	crash(t, living)
	if err := Sweep(t.Context(), "test02"); err != nil {
		t.Fatal(err)
	}
	if got, err := readSysctl(forwardingPath("up0")); err != nil || got != "0" {
		t.Errorf("forwarding of before the crash is %q (%v), want 0", got, err)
	}
}

func TestSweepRefusesANameThatIsNone(t *testing.T) {
	t.Parallel()
	// An empty name would be the beginning of every other network's.
	for _, name := range []string{"", "a-b", "toolongname"} {
		if err := Sweep(t.Context(), name); err == nil || !strings.Contains(err.Error(), "want 1 to 7") {
			t.Errorf("Sweep(%q) = %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sweep(ctx, "test01"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}
