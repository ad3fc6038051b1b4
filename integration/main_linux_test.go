package integration

import (
	"os"
	"testing"
	"time"

	"runnel/internal/testenv"
)

func TestMain(m *testing.M) {
	code := testenv.Main(m)
	shared.remove()
	os.Exit(code)
}

// hostOnly ends a test here in the virtual machine, where what it needs beside
// the programs and busybox is not at hand, or where it would take too long.
func hostOnly(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv(testenv.EnvVM) == "1" {
		t.Skip("for the host only: " + reason)
	}
}

// patience bounds what should take a moment: longer than anything takes on a
// busy host, and far longer in the virtual machine.
func patience() time.Duration {
	if os.Getenv(testenv.EnvVM) == "1" {
		return 4 * time.Minute
	}
	return 90 * time.Second
}
