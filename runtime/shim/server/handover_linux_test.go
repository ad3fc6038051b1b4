package server

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"runnel/internal/testenv"
	"runnel/runtime/shim"
)

// serving runs an in-process server on a socket and returns its directory.
func serving(t *testing.T, s *Server) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "shim.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	s.listener = l
	ran := make(chan error, 1)
	go func() { ran <- s.accept() }()
	t.Cleanup(func() {
		s.Stop()
		<-ran
		s.serving.Wait()
	})
	return dir
}

func dial(t *testing.T, dir string) *shim.Client {
	t.Helper()
	c, err := shim.Dial(dir, func(shim.Exit) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A daemon is greeted when every call of the one before is over: what that was
// having created is not left behind.
func TestNewDaemonIsGreetedWhenTheOldOnesCallsAreOver(t *testing.T) {
	testenv.Root(t)
	parent := testenv.CgroupParent(t)
	s, layer, filter := inProcess(t, parent)
	reached, goOn := make(chan struct{}), make(chan struct{})
	s.beforeStep = func(step string) error {
		if step == "start init" {
			close(reached)
			<-goOn
		}
		return nil
	}
	dir := serving(t, s)
	old := dial(t, dir)
	created := make(chan error, 1)
	r := stepRequest(parent, layer, t.TempDir(), filter)
	go func() { created <- old.Create(t.Context(), r, nil) }()
	<-reached
	met := make(chan *shim.Client, 1)
	go func() {
		next, err := shim.Dial(dir, func(shim.Exit) {})
		if err != nil {
			t.Error(err)
		}
		met <- next
	}()
	if err := <-created; !errors.Is(err, shim.ErrGone) {
		t.Errorf("the old daemon's call: %v", err)
	}
	select {
	case next := <-met:
		t.Error("greeted while a call of the old daemon is carried out")
		met <- next
	case <-time.After(100 * time.Millisecond):
	}
	close(goOn)
	next := <-met
	if next == nil {
		return
	}
	defer next.Close()
	if all, err := next.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("left %+v, %v", all, err)
	}
	if groups, err := s.host.List(parent); err != nil || len(groups) != 0 {
		t.Errorf("left cgroups %v, %v", groups, err)
	}
}

// What is held under a name stays until it is dropped, what is held for a
// container until that is deleted; a shim that keeps one does not end.
func TestHoldingsAndTheEnd(t *testing.T) {
	testenv.Root(t)
	parent := testenv.CgroupParent(t)
	s, layer, filter := inProcess(t, parent)
	c := dial(t, serving(t, s))
	ctx := t.Context()
	files := twoFiles(t)
	one, two := files[0], files[1]
	if err := c.Hold(ctx, "step", one); err == nil {
		t.Error("held under a name that a container could have")
	}
	if err := errors.Join(c.Hold(ctx, "a/b", one, two), c.Hold(ctx, "a/b", two)); err != nil {
		t.Fatal(err)
	}
	fetched(t, c, "a/b", two)
	netns, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer netns.Close()
	if err := c.Create(ctx, stepRequest(parent, layer, t.TempDir(), filter), netns, one, two); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(ctx, stepRequest(parent, layer, t.TempDir(), filter), netns, two); !errors.Is(err, shim.ErrExists) {
		t.Errorf("created twice: %v", err)
	}
	fetched(t, c, "step", netns, one, two)
	if err := c.End(ctx); !errors.Is(err, shim.ErrBusy) {
		t.Errorf("end of a shim with a container: %v", err)
	}
	if err := errors.Join(c.Delete(ctx, "step"), c.Drop(ctx, "a/b")); err != nil {
		t.Fatal(err)
	}
	fetched(t, c, "step")
	fetched(t, c, "a/b")
	failing := stepRequest(parent, layer, t.TempDir(), filter)
	failing.Containers[0].Spec.Process.Args = []string{"/none"}
	if err := c.Create(ctx, failing, netns, one); !errors.Is(err, shim.ErrUnstartable) {
		t.Errorf("create: %v", err)
	}
	fetched(t, c, "step")
	if err := c.End(ctx); err != nil {
		t.Errorf("end: %v", err)
	}
	<-c.Done()
}

// twoFiles are open and not the same.
func twoFiles(t *testing.T) (files [2]*os.File) {
	t.Helper()
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	return files
}

// fetched fails the test unless the shim keeps exactly these files under name.
func fetched(t *testing.T, c *shim.Client, name string, want ...*os.File) {
	t.Helper()
	got, err := c.Fetch(t.Context(), name)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s: %d files, %v, want %d", name, len(got), err, len(want))
	}
	for i, f := range got {
		was, _ := want[i].Stat()
		is, err := f.Stat()
		if err != nil || !os.SameFile(was, is) {
			t.Errorf("%s: file %d is another, %v", name, i, err)
		}
		f.Close()
	}
}
