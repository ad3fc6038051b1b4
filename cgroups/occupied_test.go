package cgroups

import (
	"errors"
	"io/fs"
	"testing"

	"runnel/contract"
)

func TestOccupiedLeavesCachesOut(t *testing.T) {
	t.Parallel()
	h := fakeV2(t, map[string]string{
		"cgroup.controllers": "cpu memory pids\n",
		"r/memory.stat":      "anon 3145728\nfile 99999999\nshmem 1048576\nfile_mapped 5\n",
		"old/memory.stat":    "cache 5\nrss 6\nshmem 7\ntotal_cache 99999999\ntotal_rss 2097152\ntotal_shmem 1048576\n",
	})
	g, err := h.Group("/r")
	check(t, err)
	if got, err := g.Occupied(); err != nil || got != 4*contract.MiB {
		t.Errorf("v2: %v, %v", got, err)
	}
	v1 := &Host{Mode: Legacy, Controllers: map[string]string{"memory": h.Unified}}
	g, err = v1.Group("/old")
	check(t, err)
	if got, err := g.Occupied(); err != nil || got != 3*contract.MiB {
		t.Errorf("v1: %v, %v", got, err)
	}
	g, err = h.Group("/none")
	check(t, err)
	if _, err := g.Occupied(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no group: %v", err)
	}
}
