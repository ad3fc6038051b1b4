package cgroups

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/contract"
)

// fakeV2 writes files, as the kernel would show them, below a directory that
// stands for the hierarchy. What the kernel would do about a write it does not.
func fakeV2(t *testing.T, files map[string]string) *Host {
	t.Helper()
	root := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(files[name]), 0o644))
	}
	h := &Host{Mode: Unified, Unified: root, Controllers: map[string]string{}, Own: map[string]string{"": "/"}}
	check(t, h.look())
	return h
}

// content reads a file of the fake hierarchy.
func content(t *testing.T, h *Host, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.Unified, name))
	check(t, err)
	return string(text)
}

func TestV2UsageAndEvents(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{
		"cgroup.controllers":     "cpuset cpu io memory hugetlb pids rdma misc\n",
		"r/i/cpu.stat":           "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\nnr_periods 12\nnr_throttled 5\nthrottled_usec 70\nnr_bursts 0\n",
		"r/i/memory.current":     "1048576\n",
		"r/i/memory.peak":        "2097152\n",
		"r/i/pids.current":       "3\n",
		"r/i/memory.events":      "low 0\nhigh 0\nmax 41\noom 2\noom_kill 7\noom_group_kill 1\n",
		"r/i/cgroup.events":      "populated 1\nfrozen 0\n",
		"r/old/cpu.stat":         "usage_usec 1\n",
		"r/old/memory.current":   "0\n",
		"r/old/pids.current":     "0\n",
		"r/old/cgroup.events":    "populated 0\nfrozen 0\n",
		"r/old/memory.events":    "oom_kill 0\n",
		"r/old/cgroup.procs":     "",
		"r/old/cgroup.freeze":    "0\n",
		"r/old/memory.oom.group": "1\n",
	})
	g, err := h.Group("/r/i")
	check(t, err)
	want := Usage{
		CPU: 2500 * time.Millisecond, Periods: 12, ThrottledPeriods: 5, Throttled: 70 * time.Microsecond,
		Memory: contract.MiB, MemoryPeak: 2 * contract.MiB, PIDs: 3,
	}
	if got, err := g.Usage(); err != nil || got != want {
		t.Errorf("usage %+v, %v, want %+v", got, err, want)
	}
	if got, err := g.Events(); err != nil || got.OOMKills != 7 {
		t.Errorf("events %+v, %v, want 7 kills", got, err)
	}
	if got, err := g.Populated(); err != nil || !got {
		t.Errorf("populated %v, %v", got, err)
	}
	old, err := h.Group("/r/old")
	check(t, err)
	if got, err := old.Usage(); err != nil || got.MemoryPeak != 0 {
		t.Errorf("a kernel without memory.peak: %+v, %v", got, err)
	}
	if got, err := old.Populated(); err != nil || got {
		t.Errorf("populated %v, %v", got, err)
	}
}

func TestV2PrepareHandsControllersDown(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{
		"cgroup.controllers":         "cpuset cpu memory pids\n",
		"cgroup.subtree_control":     "cpuset cpu memory\n",
		"r/cgroup.subtree_control":   "",
		"r/p/cgroup.subtree_control": "",
		"r/p/i/memory.max":           "max\n",
	})
	check(t, h.Prepare("/r/p"))
	// Every write replaces the file here; the kernel would add.
	for name, want := range map[string]string{
		"cgroup.subtree_control":     "+pids",
		"r/cgroup.subtree_control":   "+cpuset",
		"r/p/cgroup.subtree_control": "+cpuset",
	} {
		if got := content(t, h, name); !strings.HasPrefix(got, want) {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if need, want := h.Missing(); need != nil || !slices.Equal(want, []string{"io"}) {
		t.Errorf("missing %v and %v", need, want)
	}
}

func TestV2KillsAtOnce(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{
		"cgroup.controllers": "memory\n",
		"r/i/cgroup.kill":    "",
		"r/i/cgroup.procs":   "1\n", // would be the end of us
	})
	g, err := h.Group("/r/i")
	check(t, err)
	check(t, g.Kill())
	if got := content(t, h, "r/i/cgroup.kill"); got != "1" {
		t.Errorf("cgroup.kill holds %q, want 1", got)
	}
}

func TestV2FreezerAsksForItsEvent(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{
		"cgroup.controllers": "memory\n",
		"r/i/cgroup.freeze":  "0",
		"r/i/cgroup.events":  "populated 1\nfrozen 1\n",
		"r/j/cgroup.freeze":  "0",
		"r/j/cgroup.events":  "populated 1\nfrozen 0\n",
	})
	for name, stands := range map[string]bool{"/r/i": true, "/r/j": false} {
		g, err := h.Group(name)
		check(t, err)
		patience := 50 * time.Millisecond
		if stands {
			patience = deadline // of which nothing is used
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		check(t, g.freezer().freeze(ctx))
		if waited := ctx.Err() != nil; waited == stands {
			t.Errorf("%s: waited to the end: %v, want %v", name, waited, !stands)
		}
		cancel()
		if got := content(t, h, name+"/cgroup.freeze"); got != "1" {
			t.Errorf("%s: cgroup.freeze holds %q, want 1", name, got)
		}
		check(t, g.freezer().thaw())
		if got := content(t, h, name+"/cgroup.freeze"); got != "0" {
			t.Errorf("%s: cgroup.freeze holds %q, want 0", name, got)
		}
	}
}

// The v2 hierarchy of a hybrid host has no controllers, but what needs none
// must work there as under v2.
func TestV2WithoutControllers(t *testing.T) {
	h, path := parent(t)
	bare := &Host{Mode: Unified, Unified: h.Unified, Controllers: map[string]string{}, Own: h.Own}
	if h.Unified == "" {
		return // no v2 hierarchy at all
	}
	check(t, bare.Prepare(path+"/x"))
	check(t, os.Mkdir(filepath.Join(h.Unified, path, "x/i"), 0o755))
	for name, kill := range ways {
		w := startUnlimited(t, bare, path+"/x/i")
		if populated, err := w.Populated(); err != nil || !populated {
			t.Errorf("%s: populated %v, %v", name, populated, err)
		}
		check(t, kill(w.Group))
		w.empty(t)
		w.wait(t)
	}
	if names, err := bare.List(path); err != nil || !slices.Equal(names, []string{"x"}) {
		t.Errorf("list %v, %v", names, err)
	}
	check(t, bare.Sweep(t.Context(), path+"/x"))
}
