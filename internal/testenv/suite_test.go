package testenv

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// call calls f in a goroutine of its own, as a test would.
func call(f func()) {
	var done sync.WaitGroup
	done.Go(f)
	done.Wait()
}

func TestSuiteEndsWithTheLastCleanupFirst(t *testing.T) {
	t.Parallel()
	var s Suite
	var order []int
	var dir string
	call(func() {
		dir = s.TempDir()
		s.Cleanup(func() { order = append(order, 1) })
		s.Cleanup(func() {
			s.Cleanup(func() { order = append(order, 3) })
			order = append(order, 2)
		})
	})
	if code := s.End(); code != 0 {
		t.Errorf("code %d of a suite that nothing failed", code)
	}
	if want := []int{2, 3, 1}; !slices.Equal(order, want) {
		t.Errorf("clean-ups in the order %v, want %v", order, want)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its directory is still there: %v", err)
	}
}

func TestSuiteFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*Suite){
		"error":                 func(s *Suite) { s.Errorf("%s", "as it is meant to") },
		"fatal":                 func(s *Suite) { s.Fatal("as it is meant to") },
		"clean-up that is over": func(s *Suite) { s.Cleanup(func() { s.FailNow() }) },
	} {
		var said strings.Builder
		s := Suite{out: &said}
		cleaned := false
		call(func() {
			s.Cleanup(func() { cleaned = true })
			fail(&s)
		})
		if code := s.End(); code != 1 || !cleaned || !strings.Contains(said.String(), "FAIL: ") {
			t.Errorf("%s: code %d, cleaned up %v, said %q", name, code, cleaned, said.String())
		}
	}
}
