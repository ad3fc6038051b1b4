package runtime

import (
	"fmt"
	"path"

	"runnel/cgroups"
	"runnel/contract"
)

// SetCPU sets the CPU quota of each container, in the order of the Spec; 0 is the
// least that there is, a hundredth of a CPU. It takes effect at once: what stood
// still for want of CPU goes on. It asks nobody but the kernel and takes
// microseconds. Once Stop or Delete has been called it does nothing, and so it does
// to an instance that is gone. Errors: ErrClosed.
func (i *Instance) SetCPU(cpu ...contract.MilliCPU) error {
	if len(cpu) != len(i.ended.parts) {
		return fmt.Errorf("set the CPU of instance %s: %d quotas for %d containers", i.id, len(cpu), len(i.ended.parts))
	}
	i.throttling.Lock()
	defer i.throttling.Unlock()
	switch {
	case i.launcher.closed.Load():
		return ErrClosed
	case i.stopping:
		return nil
	}
	return i.setQuotas(cpu)
}

func (i *Instance) setQuotas(cpu []contract.MilliCPU) error {
	for n, c := range cpu {
		if err := i.group(n).SetQuota(c); err != nil {
			return err
		}
	}
	return nil
}

// limit notes the CPU limits of the containers.
func (i *Instance) limit(containers []Container) {
	if len(containers) != len(i.ended.parts) {
		return
	}
	for n := range containers {
		i.limits = append(i.limits, containers[n].Limits.CPU)
	}
}

// giveCPU lets the instance have the CPU of its limits from now on, or all there is
// where they are not known. It may fail: without it the instance stops too, only
// later.
func (i *Instance) giveCPU() {
	i.throttling.Lock()
	defer i.throttling.Unlock()
	if i.stopping || i.launcher.closed.Load() {
		return
	}
	i.stopping = true
	if i.limits == nil {
		_ = i.whole().LiftQuota()
		return
	}
	_ = i.setQuotas(i.limits)
}

// keepCPU has SetCPU do nothing from now on: the ID may soon be another's.
func (i *Instance) keepCPU() {
	i.throttling.Lock()
	defer i.throttling.Unlock()
	i.stopping = true
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
