package rig

import (
	"os"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// HostOnly ends a test here in the virtual machine, where what it needs beside
// the programs and busybox is not at hand, or where it would take too long.
func HostOnly(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(testenv.EnvVM) == "1" {
		t.Skip("for the host only: " + reason)
	}
}

// Patience bounds what should take a moment: longer than anything takes on a
// busy host, and far longer in the virtual machine.
func Patience() time.Duration {
	if os.Getenv(testenv.EnvVM) == "1" {
		return 4 * time.Minute
	}
	return 90 * time.Second
}
