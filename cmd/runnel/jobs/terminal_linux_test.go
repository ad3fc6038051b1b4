package jobs

import (
	"strings"
	"testing"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/internal/testenv"
)

// on is what a program finds that runs on a terminal.
func on(x *testenv.Terminal) cli.Env {
	return cli.System(x.TTY, x.TTY, x.TTY, func(name string) string {
		return map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}[name]
	}, nil)
}

// contract: CLI-7, CLI-8, CLI-10
func TestOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	term := testenv.NewTerminal(t, 60)
	if got := w.in(on(term), "create", "etl", "--image", "busybox", "--wait"); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, term.Shown())
	}
	w.Until("the last line", func() bool { return strings.HasSuffix(term.Shown(), "runnel jobs execute etl\n") })
	_, last, _ := strings.Cut(term.Shown()[strings.LastIndex(term.Shown(), "\x1b[4A"):], "\x1b[4A")
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
	if got := w.in(on(term), "list"); got.Code != 0 {
		t.Fatalf("exit %d", got.Code)
	}
	w.Until("a green mark", func() bool { return strings.Contains(term.Shown(), "\x1b[32m✔\x1b[0m  etl  us-central1") })

	done := make(chan clitest.Outcome)
	go func() { done <- w.in(on(term), "delete", "etl") }()
	w.Until("a question", func() bool { return strings.HasSuffix(term.Shown(), "Do you want to continue (Y/n)?  ") })
	if _, err := term.Keyboard.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.Code != 0 {
		t.Errorf("exit %d\n%s", got.Code, term.Shown())
	}
	w.Until("the end", func() bool { return strings.HasSuffix(term.Shown(), "Done.\nDeleted job [etl].\n") })
}

// A job's name may be agreed to.
func TestNameIsSuggested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	term := testenv.NewTerminal(t, 80)
	done := make(chan clitest.Outcome)
	go func() { done <- w.in(on(term), "create", "--image", "host:5000/team/my_app:v2") }()
	w.Until("a question", func() bool { return strings.HasSuffix(term.Shown(), "Job name (my-app):  ") })
	if _, err := term.Keyboard.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.Code != 0 {
		t.Errorf("exit %d\n%s", got.Code, term.Shown())
	}
	if got := w.must("list --format value(name)"); got != "my-app\n" {
		t.Errorf("jobs: %s", got)
	}
	if got := w.do("create --image busybox"); got.Code != 2 || got.Stderr != "runnel jobs create: the job's name is missing\n" {
		t.Errorf("unattended: exit %d, %s", got.Code, got.Stderr)
	}
}
