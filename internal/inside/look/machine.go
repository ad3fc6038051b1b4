package look

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Machine is what it seems to be.
type Machine struct {
	Hostname string `json:"hostname"`
	Kernel   string `json:"kernel"`
	// DMI is what the firmware tells, by file of /sys/class/dmi/id; what is not
	// set is left out.
	DMI map[string]string `json:"dmi"`
	// CPUs is how many the process may run on.
	CPUs int `json:"cpus"`
	// CPUFlags are the first processor's, as far as programs choose by them.
	CPUFlags []string `json:"cpuFlags"`
	// Memory is the first line of /proc/meminfo: the host's, not the container's.
	Memory string `json:"memory"`
	// Sysctls are a few of those that the contract of Cloud Run names.
	Sysctls map[string]string `json:"sysctls"`
}

func machine() Machine {
	m := Machine{Kernel: textOf("/proc/sys/kernel/osrelease"), DMI: map[string]string{}, CPUs: runtime.NumCPU(), Sysctls: map[string]string{}}
	m.Hostname, _ = os.Hostname()                           // empty where the kernel does not say
	files, _ := filepath.Glob("/sys/class/dmi/id/[a-z]*_*") // the pattern is fine
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil {
			m.DMI[filepath.Base(f)] = strings.TrimSpace(string(text))
		}
	}
	m.Memory, _, _ = strings.Cut(textOf("/proc/meminfo"), "\n")
	for line := range strings.Lines(textOf("/proc/cpuinfo")) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			m.CPUFlags = slices.DeleteFunc(strings.Fields(value), func(f string) bool {
				return !strings.HasPrefix(f, "avx") && !strings.HasPrefix(f, "sse") && f != "aes" && f != "fma" && f != "bmi2"
			})
			break
		}
	}
	for _, name := range []string{"fs/file-max", "fs/nr_open", "vm/max_map_count", "vm/overcommit_memory", "kernel/pid_max", "kernel/core_pattern",
		"net/core/somaxconn", "net/ipv4/ip_local_port_range", "net/ipv4/ip_unprivileged_port_start"} {
		m.Sysctls[name] = textOf("/proc/sys/" + name)
	}
	return m
}
