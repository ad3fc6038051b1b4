package net

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// instance starts a process in a namespace that converses with the namespace
// beyond, and returns its pulse.
func (w *world) instance(t *testing.T, ns *os.File) (*exec.Cmd, *pulse) {
	t.Helper()
	port := w.echo(t, "tcp4")
	var cmd *exec.Cmd
	var out io.Reader
	w.in(t, ns, func() error {
		cmd, out = cast(t, roleInstance, fmt.Sprintf("%s=%s:%d", envServer, beyondAddr, port))
		return nil
	})
	p := &pulse{done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for buf := make([]byte, 100); p.err == nil; {
			var n int
			n, p.err = out.Read(buf)
			p.beats.Add(int64(n))
		}
	}()
	t.Cleanup(func() {
		kill9(cmd)
		<-p.done
	})
	p.goesOn(t)
	return cmd, p
}

// A process holds the only reference to its namespace and talks to the world
// by one connection, while daemons are killed before every step of what they do
// when they come back.
func TestKilledDaemonsAreSucceeded(t *testing.T) {
	testenv.Root(t)
	testenv.NoLeaks(t)
	w := &world{}
	w.addUplink(t)
	t.Cleanup(func() {
		if err := Sweep(context.Background(), "test01"); err != nil {
			t.Error(err)
		}
	})
	first, _, path := daemon(t)
	ns, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	process, conversation := w.instance(t, ns)
	kill9(first)
	_ = ns.Close()
	conversation.goesOn(t)

	held := fmt.Sprintf("/proc/%d/ns/net", process.Process.Pid)
	second, steps, path := daemon(t, envHeld+"="+held)
	if path == "" || len(steps) < 20 {
		t.Fatalf("steps: %q", steps)
	}
	conversation.goesOn(t)
	kill9(second)
	for n, step := range steps {
		next, taken, path := daemon(t, envHeld+"="+held, fmt.Sprintf("%s=%d", envLast, n+1))
		kill9(next)
		if path != "" || len(taken) != n+1 {
			t.Errorf("the daemon that was to be killed before %q took steps %q", step, taken)
		}
		conversation.goesOn(t)
	}
	w.network = New(Config{Name: "test01"})
	w.settleAfter(t, held, conversation)
}

// settleAfter takes over what killed daemons have left, and takes it down.
func (w *world) settleAfter(t *testing.T, held string, conversation *pulse) {
	t.Helper()
	if err := w.network.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	ns, err := os.Open(held)
	if err != nil {
		t.Fatal(err)
	}
	a := w.reattach(t, ns)
	_ = ns.Close()
	if err := w.network.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.alone(t, a)
	conversation.goesOn(t)
	beyond := w.greet(t, w.beyond, "")
	b := w.attach(t)
	if seen, err := w.reach(b.Namespace(), "tcp4", beyondAddr, beyond.port, 5*time.Second); seen != hostAddr {
		t.Errorf("a new instance is seen as %q: %v", seen, err)
	}
	select {
	case <-conversation.done:
		t.Errorf("the instance ended: %v", conversation.err)
	default:
	}
	wantForwarding(t, "up0", "1")
	if err := w.network.Close(); err != nil {
		t.Fatal(err)
	}
	wantForwarding(t, "up0", "0")
}
