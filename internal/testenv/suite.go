package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// Suite is a testing.TB for what lives as long as a test binary does and not
// with one of its tests, such as a daemon that all of them use. The zero value is
// ready. What fails it fails the run, and Main ends it:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m, &suite)) }
//
// It knows what clean-up, failure and temporary files need; anything else of a
// testing.TB it does not have, and panics.
type Suite struct {
	testing.TB

	// out is where it prints; standard error if nil.
	out io.Writer

	mu       sync.Mutex
	failed   bool     // guarded by mu
	cleanups []func() // guarded by mu
}

// End runs the clean-ups, the last first, and returns 1 if anything has failed,
// else 0.
func (s *Suite) End() int {
	for {
		last := s.last()
		if last == nil {
			break
		}
		// FailNow ends a goroutine; the main one must go on.
		var done sync.WaitGroup
		done.Go(last)
		done.Wait()
	}
	if s.Failed() {
		s.Log("FAIL: what the tests of this package share")
		return 1
	}
	return 0
}

// last takes the last clean-up off the list; nil if there is none.
func (s *Suite) last() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cleanups) == 0 {
		return nil
	}
	f := s.cleanups[len(s.cleanups)-1]
	s.cleanups = slices.Delete(s.cleanups, len(s.cleanups)-1, len(s.cleanups))
	return f
}

// Cleanup has End call f.
func (s *Suite) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

// Helper does nothing: what a Suite prints names no line.
func (s *Suite) Helper() {}

// Name is what messages call the suite.
func (s *Suite) Name() string { return "the suite" }

// Failed reports whether anything has failed the suite.
func (s *Suite) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Fail fails the suite; the caller goes on.
func (s *Suite) Fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
}

// FailNow fails the suite and ends the calling goroutine. Called by a test it
// fails that test, too.
func (s *Suite) FailNow() {
	s.Fail()
	runtime.Goexit()
}

// Log prints to standard error at once.
func (s *Suite) Log(args ...any) {
	if s.out != nil {
		fmt.Fprintln(s.out, args...)
		return
	}
	fmt.Fprintln(os.Stderr, args...)
}

// Logf prints to standard error at once.
func (s *Suite) Logf(format string, args ...any) { s.Log(fmt.Sprintf(format, args...)) }

// Error is Log and Fail.
func (s *Suite) Error(args ...any) { s.Log(args...); s.Fail() }

// Errorf is Logf and Fail.
func (s *Suite) Errorf(format string, args ...any) { s.Logf(format, args...); s.Fail() }

// Fatal is Log and FailNow.
func (s *Suite) Fatal(args ...any) { s.Log(args...); s.FailNow() }

// Fatalf is Logf and FailNow.
func (s *Suite) Fatalf(format string, args ...any) { s.Logf(format, args...); s.FailNow() }

// Context lives as long as the process.
func (s *Suite) Context() context.Context { return context.Background() }

// TempDir makes a directory that End removes.
func (s *Suite) TempDir() string {
	dir, err := os.MkdirTemp("", "runnel-suite-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			s.Error(err)
		}
	})
	return dir
}
