package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"runnel/contract"
)

func root() Finding {
	const name = "root"
	if uid := os.Geteuid(); uid != 0 {
		return missing(name, fmt.Sprintf("running as user %d", uid), "run with sudo")
	}
	return ok(name, "running as root")
}

// capability is one that Runnel uses.
type capability struct {
	name string
	bit  uint
}

// neededCapabilities are those that nothing works without: what containers are
// made with, and what they may be given.
func neededCapabilities() []capability {
	return []capability{
		{"CHOWN", unix.CAP_CHOWN}, {"DAC_OVERRIDE", unix.CAP_DAC_OVERRIDE}, {"FOWNER", unix.CAP_FOWNER},
		{"KILL", unix.CAP_KILL}, {"MKNOD", unix.CAP_MKNOD}, {"NET_ADMIN", unix.CAP_NET_ADMIN},
		{"SETFCAP", unix.CAP_SETFCAP}, {"SETGID", unix.CAP_SETGID}, {"SETPCAP", unix.CAP_SETPCAP},
		{"SETUID", unix.CAP_SETUID}, {"SYS_ADMIN", unix.CAP_SYS_ADMIN}, {"SYS_CHROOT", unix.CAP_SYS_CHROOT},
		{"SYS_PTRACE", unix.CAP_SYS_PTRACE},
	}
}

func capabilities() Finding {
	effective, err := effectiveCapabilities()
	if err != nil {
		return missing("capabilities", err.Error(), "")
	}
	return judgeCapabilities(effective)
}

// judgeCapabilities is the finding about a set of capabilities.
func judgeCapabilities(effective uint64) Finding {
	const name = "capabilities"
	var lacking []string
	for _, c := range neededCapabilities() {
		if effective&(1<<c.bit) == 0 {
			lacking = append(lacking, c.name)
		}
	}
	switch {
	case len(lacking) > 0:
		return missing(name, "no "+strings.Join(lacking, ", "), "run as root, outside of a container that drops them")
	case effective&(1<<unix.CAP_SYS_RESOURCE) == 0:
		return degraded(name, "no SYS_RESOURCE: limits cannot be raised above this process's", "run outside of a container that drops it")
	}
	return ok(name, "all that are needed")
}

// effectiveCapabilities reads this process's set.
func effectiveCapabilities() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if hex, found := strings.CutPrefix(line, "CapEff:"); found {
			return strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		}
	}
	return 0, fmt.Errorf("/proc/self/status names no CapEff")
}

func openFiles() Finding {
	const name = "open files"
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return missing(name, err.Error(), "")
	}
	effective, err := effectiveCapabilities()
	if err != nil {
		return missing(name, err.Error(), "")
	}
	return judgeOpenFiles(limit.Max, effective&(1<<unix.CAP_SYS_RESOURCE) != 0)
}

// judgeOpenFiles is the finding about a hard limit that can be raised or not.
func judgeOpenFiles(hard uint64, raise bool) Finding {
	const name = "open files"
	if hard < contract.NoFile && !raise {
		return degraded(name, fmt.Sprintf("instances get %d, not %d", hard, contract.NoFile),
			fmt.Sprintf("raise the hard limit to %d: ulimit -Hn, or LimitNOFILE= in the unit", contract.NoFile))
	}
	return ok(name, fmt.Sprintf("instances get %d", contract.NoFile))
}
