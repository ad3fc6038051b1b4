package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// exit ends this process as it is told.
func exit(_ context.Context, v url.Values) (any, error) {
	code, err := number(v, "code", 0)
	if err != nil {
		return nil, err
	}
	n, err := number(v, "signal", 0)
	if err != nil {
		return nil, err
	}
	if n != 0 {
		return nil, endBy(syscall.Signal(n))
	}
	os.Exit(code)
	return nil, nil
}

// endBy ends this process by a signal. The runtime's handler is taken away from
// it first: else the runtime would end the process in a way of its own.
func endBy(sig syscall.Signal) error {
	var byDefault [4]uint64 // struct sigaction: handler, flags, restorer, mask
	if _, _, n := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0); n != 0 && sig != unix.SIGKILL {
		return n
	}
	if err := unix.Kill(os.Getpid(), sig); err != nil {
		return err
	}
	<-time.After(100 * time.Millisecond)
	// Process 1 of a container does not take from itself what it has no handler
	// for. A fault of its own is something else.
	switch sig {
	case unix.SIGSEGV:
		var nowhere *int
		runtime.KeepAlive(*nowhere)
	case unix.SIGBUS:
		return beyondTheEnd()
	}
	return fmt.Errorf("process %d does not end by signal %d of its own", os.Getpid(), sig)
}

// beyondTheEnd reads a page of a file that has none.
func beyondTheEnd() error {
	fd, err := unix.MemfdCreate("empty", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	page, err := unix.Mmap(fd, 0, 1, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	return fmt.Errorf("read %d where there is nothing", page[0])
}
