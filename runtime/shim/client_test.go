package shim

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serveOne accepts one connection in dir and plays the shim on it.
func serveOne(t *testing.T, dir string, play func(*Conn)) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	played := make(chan struct{})
	go func() {
		defer close(played)
		c, err := l.AcceptUnix()
		if err != nil {
			return
		}
		defer c.Close()
		play(NewConn(c))
	}()
	t.Cleanup(func() { l.Close(); <-played })
}

func TestDialMeetsOnlyItsOwnProtocol(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		play func(*Conn)
		kind error
		says []string
	}{
		"newer": {func(c *Conn) {
			_ = c.Send(&Message{Hello: &Greeting{Protocol: Protocol + 1, PID: 4711}})
		}, ErrProtocol, []string{"4711", "let the version that started it"}},
		"mute": {func(c *Conn) { _ = c.Send(&Message{Exit: &Exit{ID: "x"}}) }, ErrProtocol, []string{"does not greet"}},
		"gone": {func(c *Conn) {}, ErrGone, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			serveOne(t, dir, c.play)
			_, err := Dial(dir, func(Exit) {})
			if !errors.Is(err, c.kind) {
				t.Fatalf("%v, want %v", err, c.kind)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %q", err, want)
				}
			}
		})
	}
}

func TestDialWhereNobodyListens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Dial(dir, func(Exit) {}); !errors.Is(err, ErrGone) {
		t.Errorf("no socket: %v", err)
	}
	l, err := listen(dir) // and whoever listened has died
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Dial(dir, func(Exit) {}); !errors.Is(err, ErrGone) {
		t.Errorf("dead socket: %v", err)
	}
}

// What cannot be sent fails alone, and is not taken for the shim's end; a late
// answer that nobody waits for brings nothing out of step.
func TestCallsThatFailLeaveTheConnection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serveOne(t, dir, func(c *Conn) {
		_ = c.Send(&Message{Hello: &Greeting{Protocol: Protocol, PID: os.Getpid()}})
		var first uint64
		for n := 0; ; n++ {
			m, _, err := c.Receive()
			if err != nil {
				return
			}
			if n == 0 {
				first = m.Call
				continue
			}
			_ = c.Reply(first, nil, nil, os.Stdin) // far too late
			_ = c.Reply(m.Call, nil, nil, os.Stdin, os.Stdin)
		}
	})
	c, err := Dial(dir, func(Exit) {})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Hold(t.Context(), strings.Repeat("x", maxMessage)); !errors.Is(err, ErrUnsendable) || errors.Is(err, ErrGone) {
		t.Errorf("a call above the limit: %v", err)
	}
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Fetch(short, "name"); !errors.Is(err, context.Canceled) {
		t.Errorf("a call given up: %v", err)
	}
	files, err := c.Fetch(t.Context(), "name")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	closeFiles(files)
}
