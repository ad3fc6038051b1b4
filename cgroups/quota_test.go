package cgroups

import (
	"errors"
	"io/fs"
	"strings"
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

// contract: CPU-5
func TestQuotaIsSetAndSetAgain(t *testing.T) {
	w := start(t, slow, spin)
	q, err := w.OpenQuota()
	check(t, err)
	for cpu, want := range map[contract.MilliCPU]string{0: "1000", 1: "1000", 10: "1000", 80: "8000", 8000: "800000"} {
		check(t, q.Set(cpu))
		file := "cpu.cfs_quota_us"
		if w.host.Mode == Unified {
			file, want = "cpu.max", want+" 100000"
		}
		words, err := readWords(w.dir("cpu"), file)
		check(t, err)
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%d: %s is %q, want %q", cpu, file, got, want)
		}
	}
	check(t, w.Kill())
	w.empty(t)
	w.wait(t)
	check(t, w.Remove(t.Context()))
	check(t, q.Set(1000)) // of what is gone
	check(t, q.Close())
	if _, err := w.OpenQuota(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened the quota of a group that is gone: %v", err)
	}
}

func TestV2QuotaKeepsItsPeriod(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{"cgroup.controllers": "cpu memory pids\n", "r/i/cpu.max": ""})
	g, err := h.Group("/r/i")
	check(t, err)
	q, err := g.OpenQuota()
	check(t, err)
	check(t, q.Set(2500))
	if got := content(t, h, "r/i/cpu.max"); got != "250000 100000" {
		t.Errorf("wrote %q", got)
	}
	check(t, q.Close())
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
