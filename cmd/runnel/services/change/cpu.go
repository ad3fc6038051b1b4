package change

import "cloud.google.com/go/run/apiv2/runpb"

// applyCPU changes when instances have CPU, which is the same for all of an
// instance's containers: new ones get what the others have. A new service has
// CPU while it has requests, and the boost.
func (f *Flags) applyCPU(t *runpb.RevisionTemplate, isNew bool) {
	idle, boost := true, isNew
	for i, c := range t.Containers {
		if !f.containers.IsFresh(i) && c.GetResources() != nil {
			idle, boost = c.GetResources().GetCpuIdle(), c.GetResources().GetStartupCpuBoost()
			break
		}
	}
	if f.throttling.Given() {
		idle = f.throttling.On
	}
	if f.boost.Given() {
		boost = f.boost.On
	}
	for i, c := range t.Containers {
		fresh := f.containers.IsFresh(i)
		sets := [2]bool{fresh || f.throttling.Given(), fresh || f.boost.Given()}
		if c.Resources == nil && (sets[0] || sets[1]) {
			c.Resources = &runpb.ResourceRequirements{CpuIdle: idle, StartupCpuBoost: boost}
		}
		if sets[0] {
			c.Resources.CpuIdle = idle
		}
		if sets[1] {
			c.Resources.StartupCpuBoost = boost
		}
	}
}
