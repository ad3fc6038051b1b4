package cgroups

import (
	"testing"

	"runnel/contract"
)

// slow are limits under which thousands of processes take minutes to end.
var slow = Limits{CPU: 100, Memory: 64 * contract.MiB, PIDs: 100}

func TestKillLiftsTheQuota(t *testing.T) {
	w := start(t, slow, spin)
	checkQuota(t, w.Group, false)
	check(t, w.Kill())
	checkQuota(t, w.Group, true)
	w.empty(t)
	w.wait(t)
}

func TestLiftQuotaReachesGroupsBelow(t *testing.T) {
	h, path := parent(t)
	above, err := h.Group(path + "/instance")
	check(t, err)
	w := startIn(t, h, path+"/instance/one", slow, spin)
	check(t, above.LiftQuota())
	checkQuota(t, w.Group, true)
	check(t, w.Kill())
	w.empty(t)
	w.wait(t)
}

func TestLiftQuotaOfNothing(t *testing.T) {
	h, path := parent(t)
	none, err := h.Group(path + "/nosuch")
	check(t, err)
	check(t, none.LiftQuota())
}

func checkQuota(t *testing.T, g *Group, lifted bool) {
	t.Helper()
	file, none := "cpu.cfs_quota_us", "-1"
	if g.host.Mode == Unified {
		file, none = "cpu.max", "max"
	}
	words, err := readWords(g.dir("cpu"), file)
	check(t, err)
	if (words[0] == none) != lifted {
		t.Errorf("%s is %q, want it lifted: %v", file, words, lifted)
	}
}
