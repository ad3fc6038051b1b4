package server

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// contract: RT-15
func TestNoSignalStaysIgnored(t *testing.T) {
	const posixSpawns = 32
	if err := heedSignals(); err != nil { // whoever started the test may ignore some
		t.Fatal(err)
	}
	for _, sig := range []int{int(unix.SIGTSTP), posixSpawns, lastSignal} {
		if err := setSignal(sig, &sigaction{handler: ignored}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := ignoredSignals(t); got != "8000000080080000" {
		t.Fatalf("ignored signals: %s", got)
	}
	if err := heedSignals(); err != nil {
		t.Fatal(err)
	}
	if got := ignoredSignals(t); got != "0000000000000000" {
		t.Errorf("ignored signals: %s", got)
	}
}

// ignoredSignals are those of this process, a bit each.
func ignoredSignals(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "SigIgn:\t")
	bits, _, _ := strings.Cut(rest, "\n")
	return bits
}
