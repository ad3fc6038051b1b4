package doctor

import (
	"strings"

	"runnel/cgroups"
)

func controlGroups() Finding {
	const name = "cgroups"
	host, err := cgroups.Detect()
	if err != nil {
		return missing(name, err.Error(), "mount cgroup2 on /sys/fs/cgroup")
	}
	need, want := host.Missing()
	mode := host.Mode.String()
	switch {
	case len(need) > 0:
		return missing(name, mode+" without "+strings.Join(need, ", "), "enable these controllers (kernel command line: cgroup_enable=)")
	case len(want) > 0:
		return degraded(name, mode+" without "+strings.Join(want, ", "), "enable these controllers")
	}
	return ok(name, mode)
}
