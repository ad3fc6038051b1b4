package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"

	"runnel/cgroups"
	"runnel/contract"
)

// throttle sets the CPU quotas of one instance's containers.
type throttle struct {
	// mu serialises what sets them and guards what follows.
	mu sync.Mutex
	// limits are the containers' CPU limits; nil where they are not known.
	limits []contract.MilliCPU
	// quotas are held open once one has been set.
	quotas []*cgroups.Quota
	// over says that the CPU is not to be taken away any more.
	over bool
}

// SetCPU sets the CPU quota of each container, in the order of the Spec; 0 is the
// least that there is, a hundredth of a CPU. It takes effect at once: what stood
// still for want of CPU goes on. It asks nobody but the kernel and takes
// microseconds. Once Stop or Delete has been called it does nothing, and so it does
// to an instance that is gone. Errors: ErrClosed.
func (i *Instance) SetCPU(cpu ...contract.MilliCPU) error {
	if len(cpu) != len(i.ended.parts) {
		return fmt.Errorf("set the CPU of instance %s: %d quotas for %d containers", i.id, len(cpu), len(i.ended.parts))
	}
	t := &i.ended.cpu
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case i.launcher.closed.Load():
		return ErrClosed
	case t.over:
		return nil
	}
	return i.setQuotas(cpu)
}

// setQuotas is called with the throttle's lock held.
func (i *Instance) setQuotas(cpu []contract.MilliCPU) error {
	t := &i.ended.cpu
	for n := len(t.quotas); n < len(cpu); n++ {
		q, err := i.group(n).OpenQuota()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		t.quotas = append(t.quotas, q)
	}
	for n, q := range t.quotas {
		if err := q.Set(cpu[n]); err != nil {
			return err
		}
	}
	return nil
}

// limit notes the CPU limits of the containers.
func (t *throttle) limit(containers []Container) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limits = nil
	for n := range containers {
		t.limits = append(t.limits, containers[n].Limits.CPU)
	}
}

// giveCPU lets the instance have the CPU of its limits from now on, or all there is
// where they are not known. It may fail: without it the instance stops too, only
// later.
func (i *Instance) giveCPU() {
	t := &i.ended.cpu
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || i.launcher.closed.Load() {
		return
	}
	t.over = true
	if len(t.limits) == len(i.ended.parts) && !slices.Contains(t.limits, 0) {
		_ = i.setQuotas(t.limits)
	} else {
		_ = i.whole().LiftQuota()
	}
}

// close has the quotas stay as they are: the ID may soon be another's.
func (t *throttle) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	var errs []error
	for _, q := range t.quotas {
		errs = append(errs, q.Close())
	}
	t.quotas = nil
	return errors.Join(errs...)
}

// Usage is what the instance's containers have used together up to now. Errors:
// fs.ErrNotExist for an instance that is gone.
func (i *Instance) Usage() (cgroups.Usage, error) {
	all, err := i.whole().Usage()
	if err != nil || len(i.ended.parts) == 1 {
		return all, err
	}
	// What a group above others uses it counts; how these are throttled it does not.
	for n := range i.ended.parts {
		u, err := i.group(n).Usage()
		if err != nil {
			return cgroups.Usage{}, err
		}
		all.Periods += u.Periods
		all.ThrottledPeriods += u.ThrottledPeriods
		all.Throttled += u.Throttled
	}
	return all, nil
}

// group is the cgroup of a container.
func (i *Instance) group(n int) *cgroups.Group {
	return i.launcher.groupAt(containerGroup(i.id, n, len(i.ended.parts)))
}

// whole is the cgroup of the whole instance.
func (i *Instance) whole() *cgroups.Group { return i.launcher.groupAt(i.id) }

// groupAt is a group below that of all instances.
func (l *Launcher) groupAt(name string) *cgroups.Group {
	g, err := l.host.Group(path.Join(l.facts.cgroupParent, name))
	if err != nil {
		panic(err) // the parent has been prepared, and an ID is a label
	}
	return g
}

// containerGroup is the path below that of all instances of a container's cgroup:
// the instance's own for one alone.
func containerGroup(instance string, n, containers int) string {
	if containers == 1 {
		return instance
	}
	return instance + "/" + ContainerID(instance, n)
}
