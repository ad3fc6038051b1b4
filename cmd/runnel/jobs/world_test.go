package jobs

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"runnel/api/wire"
	"runnel/cmd/runnel/cli"
	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
)

// world is a daemon with fake instances, and a command line for it.
type world struct {
	*controltest.World
	t    *testing.T
	host string
}

// newWorld starts a daemon on a unix socket; it ends with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "runnel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{World: controltest.New(t), t: t, host: "unix://" + filepath.Join(dir, "s")}
	t.Cleanup(w.listen("unix", filepath.Join(dir, "s"), wire.Config{}))
	return w
}

// listen has the daemon listen, until stop is called.
func (w *world) listen(network, address string, cfg wire.Config) (stop func()) {
	w.t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Control = w.Control
	server := wire.New(cfg)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return sync.OnceFunc(func() {
		if err := server.Close(); err != nil {
			w.t.Error(err)
		}
		if err := <-served; err != nil {
			w.t.Error(err)
		}
	})
}

// fail makes every attempt exit with a code.
func (w *world) fail(code int) {
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Exit: contract.Exit{Code: code}} })
}

// hang makes every attempt run until it is stopped.
func (w *world) hang() {
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Hold: true} })
}

// outcome is what a command came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// in executes a command of "runnel jobs" in an environment.
func (w *world) in(e cli.Env, line ...string) outcome {
	w.t.Helper()
	return w.root(e, append([]string{"jobs"}, line...)...)
}

// root executes a command line.
func (w *world) root(e cli.Env, line ...string) outcome {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	if e.Stdout == nil {
		e.Stdout = &stdout
	}
	if e.Stderr == nil {
		e.Stderr = &stderr
	}
	if e.Stdin == nil {
		e.Stdin = strings.NewReader("")
	}
	e.Getenv = func(name string) string { return map[string]string{"RUNNEL_HOST": w.host}[name] }
	root := cli.Group(&cobra.Command{Use: "runnel"})
	root.AddCommand(New(e))
	code := cli.Execute(e, root, line)
	return outcome{code, stdout.String(), stderr.String()}
}

// do executes a command line that has no quotes.
func (w *world) do(line string) outcome {
	w.t.Helper()
	return w.in(cli.Env{}, strings.Fields(line)...)
}

// must executes a command that has to succeed, and returns its result.
func (w *world) must(line string) string {
	w.t.Helper()
	got := w.do(line)
	if got.code != 0 {
		w.t.Fatalf("runnel jobs %s: exit %d\n%s", line, got.code, got.stderr)
	}
	return got.stdout
}

// until waits for something to become true.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	for !done() {
		select {
		case <-deadline:
			w.t.Fatalf("%s never came", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// latest is the name of a job's latest execution.
func (w *world) latest(job string) string {
	w.t.Helper()
	return strings.TrimSpace(w.must("describe " + job + " --format value(status.latestCreatedExecution.name)"))
}

// transcript is a stream that is read while it is written.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (x *transcript) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.Write(p)
}

func (x *transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}
