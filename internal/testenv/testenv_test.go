package testenv

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// recorder stands in for the test that a helper judges, and keeps the verdict.
type recorder struct {
	testing.TB
	cleanups         []func()
	errors           []string
	skipped, fataled string
}

func (r *recorder) Helper()          {}
func (r *recorder) Name() string     { return "TestRecorded/case one" }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(form string, a ...any) {
	r.errors = append(r.errors, fmt.Sprintf(form, a...))
}
func (r *recorder) Fatal(a ...any) { r.fataled = fmt.Sprint(a...); runtime.Goexit() }
func (r *recorder) Fatalf(form string, a ...any) {
	r.fataled = fmt.Sprintf(form, a...)
	runtime.Goexit()
}
func (r *recorder) Skipf(form string, a ...any) { r.Skip(fmt.Sprintf(form, a...)) }
func (r *recorder) Skip(a ...any)               { r.skipped = fmt.Sprint(a...); runtime.Goexit() }

// run calls f as the body of a test, then its clean-ups.
func (r *recorder) run(f func(testing.TB)) {
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func TestEventuallyFailsWithWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	var r recorder
	r.run(func(tb testing.TB) {
		Eventually(tb, 10*time.Millisecond, func() bool { return false }, "the moon,", 2, "of them")
	})
	if want := "not within 10ms: the moon, 2 of them"; r.fataled != want {
		t.Errorf("verdict %q, want %q", r.fataled, want)
	}
}

func TestEventuallyWaits(t *testing.T) {
	t.Parallel()
	looks := 0
	Eventually(t, 5*time.Second, func() bool { looks++; return looks == 3 })
	if looks != 3 {
		t.Errorf("looked %d times, want 3", looks)
	}
}

func TestLackSkipsUnlessTheEnvironmentForbids(t *testing.T) {
	for _, c := range []struct{ env, skipped, fataled string }{
		{"", "no moon", ""},
		{"0", "no moon", ""},
		{"1", "", "RUNNEL_TEST_VM=1 forbids to skip: no moon"},
	} {
		t.Setenv(EnvVM, c.env)
		var r recorder
		r.run(func(tb testing.TB) { lack(tb, "no moon", EnvVM) })
		if r.skipped != c.skipped || r.fataled != c.fataled {
			t.Errorf("with %q: skipped %q, failed %q; want %q, %q", c.env, r.skipped, r.fataled, c.skipped, c.fataled)
		}
	}
}

func TestRootRefusesToTouchTheHost(t *testing.T) {
	Root(t)
	t.Setenv(envIsolated, "")
	var r recorder
	r.run(Root)
	if !strings.Contains(r.fataled, "testenv.Main") {
		t.Errorf("verdict %q does not say what to do", r.fataled)
	}
}

func TestRequireNamesWhatLacks(t *testing.T) {
	t.Setenv(EnvVM, "")
	var r recorder
	r.run(func(tb testing.TB) { Require(tb, "a second moon") })
	if want := "needs a second moon"; !strings.HasPrefix(r.skipped, want) {
		t.Errorf("skipped with %q, want it to begin with %q", r.skipped, want)
	}
}

func TestProgramThatLacksFailsOnlyOnTheHost(t *testing.T) {
	for _, c := range []struct{ vm, mustRun, skipped, fataled string }{
		{"", "", "needs the program moon (make test-setup installs it)", ""},
		{"", "1", "", "RUNNEL_TEST_MUST_RUN=1 forbids to skip: needs the program moon (make test-setup installs it)"},
		{"1", "1", "needs the program moon; the run on the host proves it", ""},
	} {
		t.Setenv(EnvVM, c.vm)
		t.Setenv(EnvMustRun, c.mustRun)
		var r recorder
		r.run(func(tb testing.TB) { Program(tb, "moon") })
		if r.skipped != c.skipped || r.fataled != c.fataled {
			t.Errorf("with %+v: skipped %q, failed %q", c, r.skipped, r.fataled)
		}
	}
}

func TestParseMountTakesOptionalFields(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"36 35 98:0 /mnt1 /mnt2 rw,noatime - ext3 /dev/root rw,errors=continue\n",
		"36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 - ext3 /dev/root rw\n",
	} {
		got, err := parseMount(line)
		if want := (mount{"/mnt2", "ext3"}); err != nil || got != want {
			t.Errorf("parseMount(%q) = %v, %v, want %v", line, got, err, want)
		}
	}
	if _, err := parseMount("36 35 98:0 / / rw\n"); err == nil {
		t.Error("a line without a file system passed")
	}
}
