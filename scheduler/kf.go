package scheduler

import (
	"strings"

	"runnel/contract"
)

// kf is what an instance of a task of an app finds in its environment: always
// the same, in whatever process.
func (p *plan) kf(app, instance string) contract.KfEnv {
	id := p.spec.Identity
	full := "projects/" + id.ProjectID + "/locations/" + id.Region + "/jobs/" + app
	e := contract.KfEnv{
		App: app, AppID: uuidOf(full), Space: id.ProjectID, Instance: uuidOf(p.x.GetUid() + "/" + instance),
		Memory: p.need.Memory, Disk: contract.KfDiskQuota,
	}
	if disk, err := contract.ParseBytes(p.x.GetAnnotations()[contract.KfDisk]); err == nil {
		e.Disk = disk
	}
	for _, v := range p.spec.Containers[0].Env {
		if services, ok := strings.CutPrefix(v, "VCAP_SERVICES="); ok {
			e.Services = services
		}
	}
	return e
}
