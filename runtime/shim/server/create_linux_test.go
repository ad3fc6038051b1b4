package server

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/internal/testenv"
	"runnel/runtime/shim"
)

// Every step of a creation is made to fail in turn; testenv.NoLeaks sees that
// nothing is left of the steps before.
func TestCreateFailingAtEachStepLeavesNothing(t *testing.T) {
	testenv.Root(t)
	parent := testenv.CgroupParent(t)
	s, layer, filter := inProcess(t, parent)
	request := func() *shim.CreateRequest { return twoSteps(parent, layer, t.TempDir(), filter) }
	var mu sync.Mutex // guards steps
	var steps []string
	s.beforeStep = func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, step)
		return nil
	}
	i, err := s.create(request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range i.containers {
		go func() { c.finish(func() *shim.Exit { e := c.wait(); return &e }()) }()
	}
	if err := i.kill(); err != nil {
		t.Fatal(err)
	}
	for _, c := range i.containers {
		<-c.ended
	}
	if err := i.release(); err != nil {
		t.Fatal(err)
	}
	testenv.NoLeaks(t) // from here on: libcontainer keeps descriptors of its own from the first start
	if len(steps) != 2*12+2 {
		t.Fatalf("%d steps: %v", len(steps), steps)
	}
	broken := errors.New("broken here")
	slices.Sort(steps)
	for _, at := range slices.Compact(steps) {
		for _, both := range []bool{true, false} {
			var met atomic.Int32
			s.beforeStep = func(step string) error {
				if step == at && (met.Add(1) == 1 || both) {
					return broken
				}
				return nil
			}
			_, err := s.create(request(), nil)
			if !errors.Is(err, broken) || strings.Contains(err.Error(), "\n") {
				t.Errorf("at %q: %v, want the injected error and no other", at, err)
			}
			nothingLeft(t, s, parent, at)
		}
	}
}

// nothingLeft fails the test if something is left of a creation that failed.
func nothingLeft(t *testing.T, s *Server, parent, at string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(s.scratch, "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("at %q: left %v, %v", at, left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.state, "*")); len(left) != 0 {
		t.Errorf("at %q: libcontainer left %v", at, left)
	}
	if groups, err := s.host.List(parent); err != nil || len(groups) != 0 {
		t.Errorf("at %q: left cgroups %v, %v", at, groups, err)
	}
}

// A container that is deleted while it is being created does not stay.
func TestDeleteDuringCreation(t *testing.T) {
	testenv.Root(t)
	parent := testenv.CgroupParent(t)
	s, layer, filter := inProcess(t, parent)
	s.beforeStep = func(step string) error {
		if step == "start init" {
			return s.delete("step")
		}
		return nil
	}
	if err := s.add(stepRequest(parent, layer, t.TempDir(), filter), nil); !errors.Is(err, shim.ErrGone) {
		t.Errorf("create: %v, want ErrGone", err)
	}
	if left := s.list(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
	if groups, err := s.host.List(parent); err != nil || len(groups) != 0 {
		t.Errorf("left cgroups %v, %v", groups, err)
	}
	s.serving.Wait()
}

// Deleting twice at a time, and again after a failure, is deleting once.
func TestReleaseMayBeRepeated(t *testing.T) {
	testenv.Root(t)
	parent := testenv.CgroupParent(t)
	s, layer, filter := inProcess(t, parent)
	if err := s.add(stepRequest(parent, layer, t.TempDir(), filter), nil); err != nil {
		t.Fatal(err)
	}
	i, err := s.get("step")
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- s.delete("step") }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := i.release(); err != nil {
		t.Errorf("release again: %v", err)
	}
	s.serving.Wait()
}

// inProcess is a server in this process, a layer with one program, and a filter
// that allows everything.
func inProcess(t *testing.T, parent string) (_ *Server, layer, allowAll string) {
	t.Helper()
	host, err := cgroups.Detect()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Prepare(parent); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Sweep(t.Context(), parent); err != nil {
			t.Log(err) // CgroupParent judges
		}
	})
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := New(Config{Dir: dir, Listener: l, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := errors.Join(l.Close(), s.journal.close(), s.launcher.self.Close(), s.filters.close(), unix.Unmount(filepath.Join(dir, "private"), unix.MNT_DETACH))
		if err != nil {
			t.Error(err)
		}
	})
	if allowAll, err = s.filters.define([]byte(`{"defaultAction":"SCMP_ACT_ALLOW"}`)); err != nil {
		t.Fatal(err)
	}
	layer = t.TempDir()
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(layer, "busybox"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	return s, layer, allowAll
}

func stepRequest(parent, layer, logs, filter string) *shim.CreateRequest {
	return &shim.CreateRequest{ID: "step", Filter: filter, Containers: []shim.ContainerRequest{{
		ID: "step", Layers: []string{layer}, LogPath: filepath.Join(logs, "log"), LogLimit: 1 << 20,
		Files: []shim.File{{Path: "/etc/hosts", Content: "127.0.0.1 localhost\n"}},
		Spec: &specs.Spec{
			Version: specs.Version,
			Process: &specs.Process{Args: []string{"/busybox", "sleep", "100"}, Cwd: "/", NoNewPrivileges: true},
			Mounts: []specs.Mount{
				{Destination: "/proc", Type: "proc", Source: "proc"},
				{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"},
			},
			Linux: &specs.Linux{
				CgroupsPath: parent + "/step",
				Resources:   &specs.LinuxResources{},
				Namespaces:  []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.NetworkNamespace}},
			},
		},
	}}}
}

// twoSteps is the same with two containers, which share a volume.
func twoSteps(parent, layer, logs, filter string) *shim.CreateRequest {
	r := stepRequest(parent, layer, logs, filter)
	second := stepRequest(parent, layer, logs, filter).Containers[0]
	second.ID, second.LogPath = "step-1", filepath.Join(logs, "log-1")
	r.Containers = append(r.Containers, second)
	r.Group = &shim.Group{Path: parent + "/step", Resources: cgroups.Limits{Memory: 64 * contract.MiB}.Resources(new(cgroups.Host))}
	r.Volumes = []shim.Volume{{Size: contract.MiB}}
	for n := range r.Containers {
		r.Containers[n].Spec.Linux.CgroupsPath = parent + "/step/" + r.Containers[n].ID
		r.Containers[n].Mounts = []shim.Mount{{Path: "/v", SubPath: "s"}}
	}
	return r
}
