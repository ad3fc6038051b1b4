package server

import (
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// contract: RT-15
// Whoever is started by make begins with signal 32 ignored.
func TestNoSignalStaysIgnored(t *testing.T) {
	ignored := func() string {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "SigIgn:\t")
		return rest[:16]
	}
	act := [4]uintptr{1} // SIG_IGN
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, firstInternalSignal, uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if got := ignored(); got != "0000000080000000" {
		t.Fatalf("ignored signals: %s", got)
	}
	if err := heedSignals(); err != nil {
		t.Fatal(err)
	}
	if got := ignored(); got != "0000000000000000" {
		t.Errorf("ignored signals: %s", got)
	}
}
