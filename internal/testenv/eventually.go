package testenv

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// pollInterval is how often a condition is looked at.
const pollInterval = 2 * time.Millisecond

// Eventually waits until cond holds and fails the test at once if it does not
// within timeout. The optional what is printed then, as by fmt.Sprintln. It
// must be called from the test's own goroutine.
func Eventually(t testing.TB, timeout time.Duration, cond func() bool, what ...any) {
	t.Helper()
	if !poll(timeout, cond) {
		t.Fatalf("not within %v: %s", timeout, strings.TrimSpace(fmt.Sprintln(what...)))
	}
}

// poll reports whether cond held before timeout. It looks at least once.
func poll(timeout time.Duration, cond func() bool) bool {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if cond() {
			return true
		}
		select {
		case <-deadline.C:
			return cond()
		case <-tick.C:
		}
	}
}
