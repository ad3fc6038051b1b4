package cgroups

import (
	"encoding/json"
	"testing"

	"runnel/contract"
)

// contract: CPU-1, MEM-1
func TestResourcesForEachHost(t *testing.T) {
	t.Parallel()
	standard := Limits{CPU: contract.DefaultCPU, Memory: contract.DefaultMemory, PIDs: 1000}
	for _, c := range []struct {
		name string
		l    Limits
		h    Host
		want string
	}{
		{"v2", standard, Host{Mode: Unified},
			`{"memory":{"limit":536870912,"swap":536870912},"cpu":{"shares":1024,"quota":100000,"period":100000},"pids":{"limit":1000},"unified":{"memory.oom.group":"1"}}`},
		{"v1 with swap accounting", standard, Host{Mode: Hybrid, SwapAccounting: true},
			`{"memory":{"limit":536870912,"swap":536870912},"cpu":{"shares":1024,"quota":100000,"period":100000},"pids":{"limit":1000}}`},
		{"v1 without", standard, Host{Mode: Legacy},
			`{"memory":{"limit":536870912,"swappiness":0},"cpu":{"shares":1024,"quota":100000,"period":100000},"pids":{"limit":1000}}`},
		{"the least CPU", Limits{CPU: contract.MinCPU}, Host{Mode: Unified},
			`{"cpu":{"shares":81,"quota":8000,"period":100000}}`},
		{"the most CPU", Limits{CPU: contract.MaxCPU}, Host{Mode: Unified},
			`{"cpu":{"shares":8192,"quota":800000,"period":100000}}`},
		{"less than the kernel takes", Limits{CPU: 1}, Host{Mode: Unified},
			`{"cpu":{"shares":2,"quota":1000,"period":100000}}`},
		{"more than the kernel takes", Limits{CPU: 1_000_000}, Host{Mode: Unified},
			`{"cpu":{"shares":262144,"quota":100000000,"period":100000}}`},
		{"nothing", Limits{}, Host{Mode: Unified}, `{}`},
	} {
		got, err := json.Marshal(c.l.Resources(&c.h))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
