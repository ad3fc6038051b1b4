package stages

import (
	"strings"
	"sync"
	"testing"

	"runnel/cmd/runnel/cli"
)

// contract: CLI-8
func TestWithoutAScreenEachStageIsALine(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := New(cli.Env{Stderr: &out}, "Creating job...", "Provisioning resources...", "Running execution...")
	s.Set(0, Running, "")
	s.Set(0, Running, "waiting")
	s.Set(0, Done, "")
	s.Set(1, Running, "0 / 2 complete")
	s.Set(1, Running, "1 / 2 complete")
	s.Set(1, Failed, "1 / 2 complete")
	s.Close(Failed, "Job failed to deploy")
	want := "Creating job...\nProvisioning resources... done\nRunning execution... failed (1 / 2 complete)\nJob failed to deploy\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// contract: CLI-8
func TestOnAScreenStagesAreRedrawn(t *testing.T) {
	t.Parallel()
	for unicode, want := range map[bool]string{
		true:  "✓ Creating job...\n  ✓ Provisioning resources...\n  ✓ Running exec\nDone.\n",
		false: "+ Creating job...\n  + Provisioning resources...\n  + Running exec\nDone.\n",
	} {
		var out locked
		s := New(cli.Env{Stderr: &out, Screen: true, Unicode: unicode, Columns: 30}, "Creating job...", "Provisioning resources...", "Running execution that takes long...")
		s.Set(0, Done, "")
		s.Set(1, Running, "a message\nof two lines")
		s.Close(Done, "Done.")
		_, last, _ := cutLast(out.String(), "\x1b[3A")
		last = strings.ReplaceAll(last, "\r\x1b[K", "")
		lines := strings.Split(last, "\n")
		if len(lines) != 5 || len([]rune(lines[2])) > 29 || !strings.HasPrefix(last, want[:strings.Index(want, "exec")]) || lines[3] != "Done." {
			t.Errorf("unicode %v: got\n%s", unicode, last)
		}
	}
}

func TestWhatRunsIsInterruptedByAFailure(t *testing.T) {
	t.Parallel()
	var out locked
	s := New(cli.Env{Stderr: &out, Screen: true}, "Executing job...", "a", "b", "c")
	s.Set(0, Failed, "why")
	s.Set(1, Running, "")
	s.Close(Failed, "Failed.")
	_, last, _ := cutLast(out.String(), "\x1b[4A")
	last = strings.ReplaceAll(last, "\r\x1b[K", "")
	if want := "X Executing job...\n  X a why\n  - b\n  . c\nFailed.\n"; last != want {
		t.Errorf("got\n%swant\n%s", last, want)
	}
}

// cutLast is strings.Cut at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// locked is a strings.Builder for several goroutines.
type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
