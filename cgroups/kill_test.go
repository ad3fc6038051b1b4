package cgroups

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// Scripts that are hard to kill. The first doubles until only the limit of
// processes stops it; in the second no process but the first lives long enough
// to be found by number. Little else must run beside it, and no quota let
// everything stand still at times: that would make it easy. A shell that may not fork gives up, so the first
// process of each only lets others fork.
const (
	bomb  = `b() { b | b & wait; b; }; while :; do b 2>/dev/null; done & ` + spin
	chase = `b() { b & }; b & b & b & b & b & b & sleep 600`
)

// loose are the limits of a chase. Its orphans count until the host's init has
// waited for them.
var loose = Limits{Memory: plenty.Memory, PIDs: 20_000}

// ways are those to kill a group, by what the host can do.
var ways = map[string]func(*Group) error{
	"at once": (*Group).Kill,
	"process by process": func(g *Group) error {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		return g.killByHand(ctx)
	},
}

// contract: LIFE-7
func TestKillReachesEveryProcess(t *testing.T) {
	for name, kill := range ways {
		for what, script := range map[string]string{"bomb": bomb, "chase": chase} {
			t.Run(name+"/"+what, func(t *testing.T) {
				limits := plenty
				if what == "chase" {
					limits = loose
				}
				w := start(t, limits, script)
				w.populate(t, 3)
				check(t, kill(w.Group))
				w.empty(t)
				if status := w.wait(t); status.Signal() != syscall.SIGKILL {
					t.Errorf("ended with %v, want SIGKILL", status)
				}
				check(t, w.Remove(t.Context()))
				for _, tree := range w.host.trees() {
					if _, err := os.Stat(tree + w.Path()); err == nil {
						t.Errorf("%s is still there", tree+w.Path())
					}
				}
			})
		}
	}
}

// Without the freeze it would take luck, and more than one round.
func TestAFrozenGroupIsKilledInOneRound(t *testing.T) {
	w := start(t, loose, chase)
	w.populate(t, 3)
	_, err := w.killFrozen(t.Context())
	check(t, err)
	w.empty(t)
	w.wait(t)
}

func TestKillReachesGroupsBelow(t *testing.T) {
	for name, kill := range ways {
		t.Run(name, func(t *testing.T) {
			h, path := parent(t)
			// Processes may be at the leaves only, once limits are handed down.
			above, err := h.Group(path + "/instance")
			check(t, err)
			one := startIn(t, h, path+"/instance/one", plenty, "sleep 600")
			two := startIn(t, h, path+"/instance/below/two", plenty, "sleep 600")
			check(t, kill(above))
			for _, w := range []*workload{one, two} {
				w.empty(t)
				if status := w.wait(t); status.Signal() != syscall.SIGKILL {
					t.Errorf("a process below ended with %v, want SIGKILL", status)
				}
			}
			check(t, above.Remove(t.Context()))
		})
	}
}

// A process that is in the v1 hierarchies alone must not survive.
func TestKillReachesStraysOfAHybridHost(t *testing.T) {
	w := start(t, loose, "sleep 600 & sleep 600 & "+chase)
	if w.host.Mode != Hybrid {
		return // no other arrangement has strays
	}
	w.populate(t, 3)
	procs, err := w.Procs()
	check(t, err)
	for _, pid := range procs {
		// Ended since, maybe: the chase goes on.
		_ = writeFile(w.host.Unified, "cgroup.procs", fmt.Sprint(pid))
	}
	check(t, w.Kill())
	w.empty(t)
	w.wait(t)
}

func TestKillOfNothing(t *testing.T) {
	h, path := parent(t)
	for name, kill := range ways {
		g, err := h.Group(path)
		check(t, err)
		if err := kill(g); err != nil {
			t.Errorf("%s: an empty group: %v", name, err)
		}
		if g, err = h.Group(path + "/nobody"); err != nil {
			t.Fatal(err)
		}
		if err := kill(g); err != nil {
			t.Errorf("%s: no group: %v", name, err)
		}
	}
}

func TestSignalAllSparesStrangers(t *testing.T) {
	h, path := parent(t)
	w := startIn(t, h, path+"/instance", plenty, "sleep 600")
	check(t, signalAll([]int{w.cmd.Process.Pid}, func() ([]int, error) { return nil, nil }))
	w.spared(t)
}
