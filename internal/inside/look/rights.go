package look

import "fmt"

// Capabilities are the five sets of the process.
type Capabilities struct {
	Inheritable []string `json:"inheritable"`
	Permitted   []string `json:"permitted"`
	Effective   []string `json:"effective"`
	Bounding    []string `json:"bounding"`
	Ambient     []string `json:"ambient"`
}

// Confinement is what else bounds the process.
type Confinement struct {
	// NoNewPrivileges says that no program it executes gives it more rights.
	NoNewPrivileges bool `json:"noNewPrivileges"`
	// Seccomp is off, strict or filter, and Filters how many of them there are.
	Seccomp string `json:"seccomp"`
	Filters string `json:"filters"`
}

func capabilities(s status) Capabilities {
	return Capabilities{
		Inheritable: capabilityNames(s.bits("CapInh")),
		Permitted:   capabilityNames(s.bits("CapPrm")),
		Effective:   capabilityNames(s.bits("CapEff")),
		Bounding:    capabilityNames(s.bits("CapBnd")),
		Ambient:     capabilityNames(s.bits("CapAmb")),
	}
}

func capabilityNames(numbers []int) []string {
	all := knownCapabilities()
	names := []string{}
	for _, n := range numbers {
		if n < len(all) {
			names = append(names, "CAP_"+all[n])
		} else {
			names = append(names, fmt.Sprintf("CAP_%d", n))
		}
	}
	return names
}

// knownCapabilities are the kernel's, by their numbers.
func knownCapabilities() []string {
	return []string{
		"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
		"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
		"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
		"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
		"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
		"CHECKPOINT_RESTORE",
	}
}

func confinement(s status) Confinement {
	mode := map[string]string{"0": "off", "1": "strict", "2": "filter"}[s["Seccomp"]]
	return Confinement{NoNewPrivileges: s["NoNewPrivs"] == "1", Seccomp: mode, Filters: s["Seccomp_filters"]}
}
