package server

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lastSignal is the highest number of a signal.
const lastSignal = 64

// ignored is the kernel's SIG_IGN.
const ignored = 1

// sigaction is the kernel's struct of that name. The zero value is the default.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// heedSignals stops ignoring what this process was told to ignore by whoever
// started it: under nohup, as a shell's background job, or by the C library's
// posix_spawn, which leaves a signal of its own ignored. Containers would
// inherit it. The Go runtime leaves such signals alone.
func heedSignals() error {
	for sig := 1; sig <= lastSignal; sig++ {
		if sig == int(unix.SIGKILL) || sig == int(unix.SIGSTOP) {
			continue // nobody can ignore these
		}
		var is sigaction
		err := setSignal(sig, nil, &is)
		if err == nil && is.handler == ignored {
			err = setSignal(sig, new(sigaction), nil)
		}
		if err != nil {
			return fmt.Errorf("heed signal %d: %w", sig, err)
		}
	}
	return nil
}

// setSignal is rt_sigaction(2), which the C library and the runtime keep from
// some signals.
func setSignal(sig int, act, old *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)),
		unsafe.Sizeof(act.mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
