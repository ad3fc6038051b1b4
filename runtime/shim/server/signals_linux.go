package server

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Signals that the C library keeps to itself. Whoever was started by its
// posix_spawn, by make for one, begins with the first of them ignored, and so
// would every container after it. The Go runtime leaves both alone.
// Source: signal(7), nptl(7).
const firstInternalSignal, lastInternalSignal = 32, 33

// heedSignals stops ignoring the signals that nothing else in this process
// decides upon.
func heedSignals() error {
	// The kernel's struct sigaction: handler, flags, restorer, mask. All zero is
	// the default.
	var act [4]uintptr
	for sig := uintptr(firstInternalSignal); sig <= lastInternalSignal; sig++ {
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&act)), 0, unsafe.Sizeof(act[3]), 0, 0); errno != 0 {
			return fmt.Errorf("heed signal %d: %w", sig, errno)
		}
	}
	return nil
}
