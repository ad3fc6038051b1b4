package jobs

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
)

// terminal is a pseudo-terminal: what is written to its screen, and who types.
type terminal struct {
	keyboard *os.File // the side of a person
	tty      *os.File // the side of a program

	mu     sync.Mutex
	screen bytes.Buffer // guarded by mu
}

// newTerminal opens a pseudo-terminal that ends with the test.
func newTerminal(t *testing.T, columns uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{keyboard: master, tty: tty}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			term.mu.Lock()
			term.screen.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil {
				return // nobody has the other side any more
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		<-done
		_ = master.Close()
	})
	return term
}

// env is what a program finds that runs on the terminal.
func (x *terminal) env() cli.Env {
	return cli.System(x.tty, x.tty, x.tty, func(name string) string {
		return map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}[name]
	}, nil)
}

// shown is all that has been written, without the terminal's carriage returns.
func (x *terminal) shown() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.ReplaceAll(x.screen.String(), "\r\n", "\n")
}

// contract: CLI-7, CLI-8, CLI-10
func TestOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	term := newTerminal(t, 60)
	if got := w.in(term.env(), "create", "etl", "--image", "busybox", "--wait"); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, term.shown())
	}
	w.Until("the last line", func() bool { return strings.HasSuffix(term.shown(), "runnel jobs execute etl\n") })
	_, last, _ := strings.Cut(term.shown()[strings.LastIndex(term.shown(), "\x1b[4A"):], "\x1b[4A")
	last = strings.ReplaceAll(last, "\r\x1b[K", "")
	want := `✓ Creating and running job...
  ✓ Provisioning resources...
  ✓ Starting execution...
  ✓ Running execution... 1 / 1 complete
Done.
Job [etl] has successfully been created and completed execution [etl-xxxxx].
`
	if !strings.HasPrefix(steady(last), want) {
		t.Errorf("the screen ends with\n%swant\n%s", steady(last), want)
	}
	if got := w.in(term.env(), "list"); got.Code != 0 {
		t.Fatalf("exit %d", got.Code)
	}
	w.Until("a green mark", func() bool { return strings.Contains(term.shown(), "\x1b[32m✔\x1b[0m  etl  us-central1") })

	done := make(chan clitest.Outcome)
	go func() { done <- w.in(term.env(), "delete", "etl") }()
	w.Until("a question", func() bool { return strings.HasSuffix(term.shown(), "Do you want to continue (Y/n)?  ") })
	if _, err := term.keyboard.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.Code != 0 {
		t.Errorf("exit %d\n%s", got.Code, term.shown())
	}
	w.Until("the end", func() bool { return strings.HasSuffix(term.shown(), "Done.\nDeleted job [etl].\n") })
}

// A job's name may be agreed to.
func TestNameIsSuggested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	term := newTerminal(t, 80)
	done := make(chan clitest.Outcome)
	go func() { done <- w.in(term.env(), "create", "--image", "host:5000/team/my_app:v2") }()
	w.Until("a question", func() bool { return strings.HasSuffix(term.shown(), "Job name (my-app):  ") })
	if _, err := term.keyboard.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.Code != 0 {
		t.Errorf("exit %d\n%s", got.Code, term.shown())
	}
	if got := w.must("list --format value(name)"); got != "my-app\n" {
		t.Errorf("jobs: %s", got)
	}
	if got := w.do("create --image busybox"); got.Code != 2 || got.Stderr != "runnel jobs create: the job's name is missing\n" {
		t.Errorf("unattended: exit %d, %s", got.Code, got.Stderr)
	}
}
