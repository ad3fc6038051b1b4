package cgroups

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"runnel/internal/testenv"
)

func TestPathsThatAreNoGroups(t *testing.T) {
	t.Parallel()
	h := &Host{Mode: Unified, Unified: t.TempDir()}
	for _, path := range []string{"", "/", "runnel", "/runnel/", "/runnel//x", "/runnel/..", "/..", "/runnel/./x", "/a\x00b"} {
		if _, err := h.Group(path); !errors.Is(err, ErrPath) {
			t.Errorf("Group(%q): %v, want ErrPath", path, err)
		}
		if err := h.Prepare(path); !errors.Is(err, ErrPath) {
			t.Errorf("Prepare(%q): %v, want ErrPath", path, err)
		}
		if err := h.Sweep(t.Context(), path); !errors.Is(err, ErrPath) {
			t.Errorf("Sweep(%q): %v, want ErrPath", path, err)
		}
		if err := h.RemoveEmpty(path); !errors.Is(err, ErrPath) {
			t.Errorf("RemoveEmpty(%q): %v, want ErrPath", path, err)
		}
		if _, err := h.List(path); !errors.Is(err, ErrPath) {
			t.Errorf("List(%q): %v, want ErrPath", path, err)
		}
	}
}

func TestPrepareIsThereAndCanBeRepeated(t *testing.T) {
	h, path := parent(t)
	check(t, h.Prepare(path))
	for _, tree := range h.trees() {
		if _, err := os.Stat(tree + path); err != nil {
			t.Error(err)
		}
	}
	if names, err := h.List(path); err != nil || len(names) > 0 {
		t.Errorf("a fresh parent lists %v, %v", names, err)
	}
}

func TestListNamesTheChildren(t *testing.T) {
	h, path := parent(t)
	a := startIn(t, h, path+"/a", plenty, "sleep 600")
	startIn(t, h, path+"/b", plenty, "sleep 600")
	names, err := h.List(path)
	if err != nil || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("got %v, %v, want a and b", names, err)
	}
	check(t, a.Kill())
	check(t, a.Remove(t.Context()))
	if names, err = h.List(path); err != nil || !slices.Equal(names, []string{"b"}) {
		t.Errorf("got %v, %v, want b", names, err)
	}
	check(t, h.Sweep(t.Context(), path))
	if names, err = h.List(path); err != nil || len(names) > 0 {
		t.Errorf("after the sweep: %v, %v", names, err)
	}
}

func TestSweepLeavesForeignGroupsAlone(t *testing.T) {
	h, path := parent(t)
	foreign := path + "-not"
	check(t, h.Prepare(foreign))
	t.Cleanup(func() { check(t, h.Sweep(context.Background(), foreign)) })
	stranger := startIn(t, h, foreign+"/instance", plenty, "sleep 600")
	ours := startIn(t, h, path+"/instance", plenty, "sleep 600 & sleep 600 & sleep 600")
	check(t, h.Sweep(t.Context(), path))
	ours.wait(t)
	for _, tree := range h.trees() {
		if _, err := os.Stat(tree + path); err == nil {
			t.Errorf("%s is still there", tree+path)
		}
		if _, err := os.Stat(tree + foreign); err != nil {
			t.Error(err)
		}
	}
	check(t, h.Sweep(t.Context(), path))
	stranger.spared(t)
}

func TestRemoveWaitsForTheDying(t *testing.T) {
	w := start(t, plenty, "i=0; while [ $i -lt 100 ]; do sleep 600 & i=$((i+1)); done; wait")
	w.populate(t, 100)
	check(t, w.Kill())
	check(t, w.Remove(t.Context()))
	w.wait(t)
}

func TestRemoveWaitsNoLongerThanItsContext(t *testing.T) {
	w := start(t, plenty, "sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Remove(ctx); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("removing a living group: %v, want EBUSY", err)
	}
	w.spared(t)
}

func TestRemoveEmptyLeavesTheOccupied(t *testing.T) {
	h, path := parent(t)
	w := startIn(t, h, path+"/one/instance", plenty, "sleep 600")
	for _, p := range []string{path, path + "/one", path + "/one/instance"} {
		check(t, h.RemoveEmpty(p))
	}
	if names, err := h.List(path + "/one"); err != nil || len(names) != 1 {
		t.Fatalf("an occupied group has gone: %v, %v", names, err)
	}
	check(t, w.Kill())
	check(t, w.Remove(t.Context()))
	check(t, h.RemoveEmpty(path+"/one"))
	check(t, h.RemoveEmpty(path+"/nobody"))
	if names, err := h.List(path); err != nil || len(names) > 0 {
		t.Errorf("an empty group has stayed: %v, %v", names, err)
	}
}

// delegate makes a group with this very process in it and answers a host that
// believes the group was given to it.
func delegate(t *testing.T) (h *Host, at string) {
	t.Helper()
	testenv.Root(t)
	testenv.Require(t, testenv.CgroupV2)
	h, at = parent(t)
	at += "/unit"
	dir := filepath.Join(h.Unified, at)
	check(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() { check(t, writeFile(filepath.Join(h.Unified, h.Own[""]), "cgroup.procs", "0")) })
	check(t, writeFile(dir, "cgroup.procs", "0"))
	return h, at
}

func TestPrepareMakesWayInADelegatedGroup(t *testing.T) {
	h, at := delegate(t)
	w := startUnlimited(t, h, at)
	check(t, h.Prepare(at+"/instances"))
	procs, err := dirProcs(filepath.Join(h.Unified, at, "supervisor"))
	if err != nil || !slices.Contains(procs, os.Getpid()) || !slices.Contains(procs, w.cmd.Process.Pid) {
		t.Errorf("the supervisor's group holds %v, %v", procs, err)
	}
	limited := startIn(t, h, at+"/instances/one", plenty, "sleep 600")
	if words, err := readWords(filepath.Join(h.Unified, limited.Path()), "memory.max"); err != nil || words[0] == "max" {
		t.Errorf("memory.max is %v, %v", words, err)
	}
}

func TestPrepareRefusesAnOccupiedGroup(t *testing.T) {
	testenv.Root(t)
	testenv.Require(t, testenv.CgroupV2)
	h, path := parent(t)
	check(t, os.Mkdir(filepath.Join(h.Unified, path, "theirs"), 0o755))
	w := startUnlimited(t, h, path+"/theirs")
	if err := h.Prepare(path + "/theirs/ours"); !errors.Is(err, ErrOccupied) {
		t.Errorf("got %v, want ErrOccupied", err)
	}
	if procs, err := dirProcs(filepath.Join(h.Unified, path, "theirs")); err != nil || !slices.Contains(procs, w.cmd.Process.Pid) {
		t.Errorf("their process was moved away: %v, %v", procs, err)
	}
}
