package machine

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/scheduler"
)

// reservedMemory stays for the host itself when tasks share its memory.
const reservedMemory = 256 * contract.MiB

// Capacity is what tasks may have of this host together: every CPU this
// process may use, and the memory that is available now, less a reserve. What
// the root's instances of an earlier daemon occupy is theirs: they will have it
// reserved as their own.
func Capacity(root *Root) (scheduler.Resources, error) {
	available, err := memAvailable("/proc/meminfo")
	if err != nil {
		return scheduler.Resources{}, fmt.Errorf("cannot tell this host's memory: %w", err)
	}
	occupied, err := occupied(root)
	if err != nil {
		return scheduler.Resources{}, fmt.Errorf("cannot tell what instances occupy: %w", err)
	}
	return scheduler.Resources{
		CPU:    contract.MilliCPU(1000 * runtime.NumCPU()),
		Memory: max(0, available+occupied-reservedMemory),
	}, nil
}

// occupied is the memory that the root's instances hold.
func occupied(root *Root) (contract.Bytes, error) {
	host, err := cgroups.Detect()
	if err != nil {
		return 0, err
	}
	group, err := host.Group(root.Cgroup())
	if err != nil {
		return 0, err
	}
	used, err := group.Occupied()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return used, err
}

// memAvailable reads the kernel's estimate from a file like /proc/meminfo.
func memAvailable(path string) (contract.Bytes, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kib contract.Bytes
		if _, err := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kib); err == nil {
			return kib * contract.KiB, nil
		}
	}
	return 0, errors.Join(lines.Err(), errors.New(path+" names no MemAvailable"))
}
