// Package cgroups turns an instance's limits into cgroup settings and reads
// usage, throttling and out-of-memory events back, on cgroup v2 and on v1
// hybrid hosts alike.
//
// It creates nothing but groups under the one parent it is given, and never
// touches a group that is not Runnel's. It needs root.
package cgroups

import "runnel/contract"

// Limits bound one container, or all of an instance together.
type Limits struct {
	// CPU is the quota: how much CPU time per second of wall time.
	CPU contract.MilliCPU
	// Memory is the hard limit, swap excluded. Everything counts: anonymous
	// pages, page cache, files written to the root, kernel memory.
	Memory contract.Bytes
	// PIDs bounds the number of processes and threads.
	PIDs int64
}
