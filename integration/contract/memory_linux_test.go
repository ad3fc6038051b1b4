package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"runnel/internal/inside/look"
)

// contract: MEM-1
func TestMEM1ContainersHave512MiBUnlessToldOtherwise(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		if _, memory := insideLimits(r.Cgroup.Settings); memory != "536870912" {
			t.Errorf("a %s has %s bytes unless told otherwise, want 512 MiB", what, memory)
		}
	}
	pairUp(t, d)
	main, side := pairSees(d, "cgroup")
	for want, r := range map[string]*look.Report{"134217728": main, "157286400": side} {
		if _, memory := insideLimits(r.Cgroup.Settings); memory != want {
			t.Errorf("a container of the pair has %s bytes, want its own %s", memory, want)
		}
	}
}

// contract: MEM-2
func TestMEM2LimitOfTheInstanceIsTheSum(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	instanceOf(d, pairName) // there is one, and goes on for some minutes
	limits := groupSettings(d, pairName, "memory.limit_in_bytes", "memory.max")
	found := map[string]int{}
	for path, bytes := range limits {
		if depth := strings.Count(path, pairName); depth == 1 {
			found["instance "+bytes]++
		} else {
			found["container "+bytes]++
		}
	}
	// 128 and 150 MiB are 278.
	if len(found) != 3 || found["instance 291504128"] != 1 || found["container 134217728"] != 1 || found["container 157286400"] != 1 {
		t.Errorf("the limits are %v", limits)
	}
}

// contract: MEM-3
func TestMEM3EverythingCountsAsMemory(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	serveInside(d, name)
	for what, takes := range map[string][]string{
		"memory":         {"memory", "mib", "12"},
		"a file":         {"write", "path", "/x", "mib", "12"},
		"shared memory":  {"write", "path", "/dev/shm/x", "mib", "12"},
		"a file of /tmp": {"write", "path", "/tmp/x", "mib", "12"},
	} {
		var w written
		act(d, name, takes[0], &w, takes[1:]...)
		if w.Error != "" || w.grown() < 10 {
			t.Errorf("12 MiB as %s are %d MiB: %+v", what, w.grown(), w)
		}
	}
	var ran struct{ Stdout string }
	act(d, name, "run", &ran, "arg", "/inside", "arg", "memory", "arg", "mib=12")
	var childs written
	if err := json.Unmarshal([]byte(ran.Stdout), &childs); err != nil || childs.grown() < 10 {
		t.Errorf("12 MiB of a further process are %d MiB: %+v, %v", childs.grown(), ran, err)
	}
	pairUp(t, d)
	var w written
	act(d, pairName, "write", &w, "path", "/half/counted", "mib", "12")
	if w.Error != "" || w.grown() < 10 {
		t.Errorf("12 MiB in a volume are %d MiB: %+v", w.grown(), w)
	}
	act(d, pairName, "run", &ran, "arg", "rm", "arg", "/half/counted")
}

// contract: MEM-4
func TestMEM4UnitsOfMemoryAndTheMost(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	for _, memory := range []string{"32Gi", "32768Mi", "34G", "34359M", "32.0Gi"} {
		c.taken(memory, c.job(limited("8", memory)))
		c.taken(memory, c.service(limited("8", memory)))
	}
	for _, memory := range []string{"512Mi", "0.5Gi", "512M", "1G"} {
		c.taken(memory, c.job(limited("1", memory)))
	}
	for _, memory := range []string{"33Gi", "32769Mi", "35G", "1Ti"} {
		c.refused(memory, c.job(limited("8", memory)), "memory", "32Gi")
		c.refused(memory, c.service(limited("8", memory)), "memory", "32Gi")
	}
	for _, memory := range []string{"512MB", "512 Mi", "much", "-1Gi", "Mi"} {
		c.refused(memory, c.job(limited("1", memory)), "memory")
	}
}
