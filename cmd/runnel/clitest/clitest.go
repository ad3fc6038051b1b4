// Package clitest gives tests of commands a daemon without a host: the control
// plane of controltest behind a real socket, and command lines that talk to it.
// It needs no privilege.
package clitest

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"runnel/api/source"
	"runnel/api/wire"
	"runnel/cmd/runnel/cli"
	"runnel/control/controltest"
)

// World is a daemon with fake instances, and a command line for it.
type World struct {
	*controltest.World
	// Host is what commands are told of the daemon.
	Host string

	t        testing.TB
	commands func(cli.Env) []*cobra.Command
}

// New starts a daemon on a unix socket, which ends with the test; commands builds
// what there is below "runnel".
func New(t testing.TB, commands func(cli.Env) []*cobra.Command) *World {
	t.Helper()
	path := Socket(t)
	w := &World{World: controltest.New(t), t: t, Host: "unix://" + path, commands: commands}
	t.Cleanup(w.Listen("unix", path, wire.Config{}))
	return w
}

// Nowhere is a command line without a daemon.
func Nowhere(t testing.TB, commands func(cli.Env) []*cobra.Command) *World {
	return &World{t: t, Host: "unix:///nowhere", commands: commands}
}

// Socket is a path for a socket, short enough for one, that ends with the test.
func Socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "runnel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// Listen has the daemon listen, until stop is called.
func (w *World) Listen(network, address string, cfg wire.Config) (stop func()) {
	w.t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Control = w.Control
	cfg.Handlers = maps.Clone(cfg.Handlers)
	if cfg.Handlers == nil {
		cfg.Handlers = map[string]http.Handler{}
	}
	cfg.Handlers["POST "+source.Path], cfg.Streamed = source.NewHandler(w.Control), []string{source.Path}
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

// Outcome is what a command came to.
type Outcome struct {
	Code           int
	Stdout, Stderr string
}

// In executes a command line below "runnel" in an environment.
func (w *World) In(e cli.Env, line ...string) Outcome {
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
	e.Getenv = func(name string) string { return map[string]string{"RUNNEL_HOST": w.Host}[name] }
	root := cli.Group(&cobra.Command{Use: "runnel"})
	root.AddCommand(w.commands(e)...)
	code := cli.Execute(e, root, line)
	return Outcome{code, stdout.String(), stderr.String()}
}

// Do executes a command line that has no quotes.
func (w *World) Do(line string) Outcome {
	w.t.Helper()
	return w.In(cli.Env{}, strings.Fields(line)...)
}

// Must executes a command line that has to succeed, and returns its result.
func (w *World) Must(line string) string {
	w.t.Helper()
	got := w.Do(line)
	if got.Code != 0 {
		w.t.Fatalf("runnel %s: exit %d\n%s", line, got.Code, got.Stderr)
	}
	return got.Stdout
}

// Help visits every command below the one at path, and fails the test where one
// does not teach itself.
func (w *World) Help(path string) {
	w.t.Helper()
	got := w.Do(path + " --help")
	if got.Code != 0 || !strings.Contains(got.Stdout, "Examples:\n") || strings.Contains(got.Stdout, "(default )") || got.Stderr != "" {
		w.t.Errorf("runnel %s --help: exit %d, stderr %q\n%s", path, got.Code, got.Stderr, got.Stdout)
	}
	root := &cobra.Command{Use: "runnel"}
	root.AddCommand(w.commands(cli.Env{})...)
	cmd, _, err := root.Find(strings.Fields(path))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range cmd.Commands() {
		w.Help(path + " " + c.Name())
	}
}

// Completions are what a shell is offered for a line that ends where the person
// is, in order.
func (w *World) Completions(line string) (names []string) {
	w.t.Helper()
	out := w.In(cli.Env{}, append([]string{"__complete"}, strings.Split(line, " ")...)...)
	for name := range strings.Lines(out.Stdout) {
		if name = strings.TrimSpace(name); !strings.HasPrefix(name, ":") {
			names = append(names, name)
		}
	}
	return names
}

// Until waits for something to become true.
func (w *World) Until(what string, done func() bool) {
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

// Transcript is a stream that is read while it is written.
type Transcript struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (x *Transcript) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.Write(p)
}

// String is what has been written so far.
func (x *Transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}
