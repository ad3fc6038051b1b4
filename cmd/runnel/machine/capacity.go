package machine

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"

	"runnel/contract"
	"runnel/scheduler"
)

// reservedMemory stays for the host itself when tasks share its memory.
const reservedMemory = 256 * contract.MiB

// Capacity is what tasks may have of this host together: every CPU this
// process may use, and the memory that is available now, less a reserve.
func Capacity() (scheduler.Resources, error) {
	available, err := memAvailable("/proc/meminfo")
	if err != nil {
		return scheduler.Resources{}, fmt.Errorf("cannot tell this host's memory: %w", err)
	}
	return scheduler.Resources{
		CPU:    contract.MilliCPU(1000 * runtime.NumCPU()),
		Memory: max(0, available-reservedMemory),
	}, nil
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
