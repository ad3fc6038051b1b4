package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/internal/testenv"
	"runnel/runtime/shim"
	"runnel/runtime/shim/server"
)

func TestMain(m *testing.M) {
	runtime.LockOSThread() // as the shim does, see its init
	if len(os.Args) > 1 && os.Args[1] == "init" {
		server.Main(os.Args) // a server in this process starts containers too
	}
	os.Exit(testenv.Main(m))
}

// keeper is a spawned shim and a client of it.
type keeper struct {
	*shim.Client
	t      *testing.T
	host   *cgroups.Host
	layer  string
	parent string
	logs   string
	exits  chan shim.Exit
}

// newKeeper spawns a shim that ends with the test, and a busybox layer.
func newKeeper(t *testing.T) *keeper {
	t.Helper()
	testenv.Root(t)
	testenv.NoLeaks(t)
	k := &keeper{t: t, parent: testenv.CgroupParent(t), logs: t.TempDir(), exits: make(chan shim.Exit, 100)}
	host, err := cgroups.Detect()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Prepare(k.parent); err != nil {
		t.Fatal(err)
	}
	k.host = host
	t.Cleanup(func() {
		if err := host.Sweep(context.Background(), k.parent); err != nil {
			t.Error(err)
		}
	})
	k.layer = busyboxLayer(t)
	dir := t.TempDir()
	process, err := shim.Spawn(shim.SpawnConfig{Binary: testenv.Binary(t, "runnel-shim"), Dir: dir, Lifeline: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Close(); err != nil {
			t.Error(err)
		}
		if log, _ := os.ReadFile(filepath.Join(dir, "shim.log")); len(log) > 0 {
			t.Logf("shim log:\n%s", log)
		}
	})
	k.Client, err = shim.Dial(dir, func(e shim.Exit) { k.exits <- e })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Client.Close() })
	return k
}

// busyboxLayer makes a layer of Debian's static busybox.
func busyboxLayer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"bin", "etc", "proc", "sys", "dev"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, applet := range strings.Fields("sh true false cat echo id sleep kill dd mount grep wc ls head stat su touch df nc") {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	accounts := "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nbroken:x:-1:0::/:/bin/sh\n"
	if err := os.WriteFile(filepath.Join(dir, "etc/passwd"), []byte(accounts), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// request is a container that runs args.
func (k *keeper) request(id string, args ...string) *shim.CreateRequest {
	k.t.Helper()
	caps := []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"}
	spec := &specs.Spec{
		Version:  specs.Version,
		Hostname: "box",
		Process: &specs.Process{
			Args: args, Cwd: "/", Env: []string{"PATH=/bin"}, NoNewPrivileges: true,
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"},
		},
		Linux: &specs.Linux{
			CgroupsPath: k.parent + "/" + id,
			Resources:   cgroups.Limits{Memory: 64 * contract.MiB}.Resources(k.host),
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace}, {Type: specs.NetworkNamespace},
			},
		},
	}
	profile, err := seccomp.GetDefaultProfile(spec)
	if err != nil {
		k.t.Fatal(err)
	}
	filter, err := k.DefineFilter(k.t.Context(), profile)
	if err != nil {
		k.t.Fatal(err)
	}
	return &shim.CreateRequest{ID: id, Filter: filter, Containers: []shim.ContainerRequest{{
		ID: id, Spec: spec, Layers: []string{k.layer}, LogPath: filepath.Join(k.logs, id), LogLimit: 1 << 20,
	}}}
}

// run carries a container through its life and returns its end and output.
func (k *keeper) run(r *shim.CreateRequest) (shim.Exit, string) {
	k.t.Helper()
	ctx := context.Background()
	if err := k.Create(ctx, r, nil); err != nil {
		k.t.Fatal(err)
	}
	if err := k.Start(ctx, r.ID, 0); err != nil {
		k.t.Fatal(err)
	}
	e := k.exit()
	if err := k.Delete(ctx, r.ID); err != nil {
		k.t.Fatal(err)
	}
	out, _ := os.ReadFile(r.Containers[0].LogPath)
	return e, string(out)
}

func (k *keeper) exit() shim.Exit {
	k.t.Helper()
	select {
	case e := <-k.exits:
		return e
	case <-time.After(60 * time.Second):
		k.t.Fatal("no exit came")
		return shim.Exit{}
	}
}

// contract: JOB-8 LIM-6
func TestContainerRunsAndReportsItsExit(t *testing.T) {
	k := newKeeper(t)
	e, out := k.run(k.request("one", "sh", "-c", "echo pid $$; echo oops >&2; exit 7"))
	if e.Code != 7 || e.Signal != 0 || e.OOMKilled {
		t.Errorf("exit %+v", e)
	}
	if !strings.Contains(out, "stdout F pid 1\n") || !strings.Contains(out, "stderr F oops\n") {
		t.Errorf("log:\n%s", out)
	}
}

// contract: LIM-11 ATK-2 ATK-30
func TestContainerIsConfined(t *testing.T) {
	k := newKeeper(t)
	e, out := k.run(k.request("confined", "sh", "-c", `
		grep -E "^(NoNewPrivs|Seccomp|CapEff|CapInh):" /proc/self/status
		ls -l /proc/1/fd
		mount -t tmpfs none /tmp || echo refused
		cat /proc/1/cmdline`))
	for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t00000000000000e3", "CapInh:\t0000000000000000", "refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q (exit %+v) in:\n%s", want, e, out)
		}
	}
	for _, fd := range []string{" 3 -> ", " 4 -> "} {
		if strings.Contains(out, "F "+fd) || strings.Contains(out, fd+"/memfd") || strings.Contains(out, "/memfd:") {
			t.Errorf("a descriptor of the shim's is left in the container:\n%s", out)
		}
	}
}

// contract: JOB-14 FS-1 FS-2
func TestMemoryLimitEndsTheWholeContainer(t *testing.T) {
	k := newKeeper(t)
	// The shell would go on after dd, if only dd were killed.
	e, out := k.run(k.request("oom", "sh", "-c", "dd if=/dev/zero of=/fill bs=1M count=100; echo survived; sleep 30"))
	if !e.OOMKilled || e.Signal != syscall.SIGKILL || e.MemoryPeak < 60*contract.MiB {
		t.Errorf("exit %+v", e)
	}
	if time.Since(e.At) > time.Minute {
		t.Errorf("exit at %v", e.At)
	}
	_ = out
}

// contract: JOB-15
func TestSignalsAreReported(t *testing.T) {
	k := newKeeper(t)
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		r := k.request("sig", "sh", "-c", "echo ready; exec sleep 60")
		ctx := context.Background()
		if err := k.Create(ctx, r, nil); err != nil {
			t.Fatal(err)
		}
		if err := k.Start(ctx, "sig", 0); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, time.Minute, func() bool { out, _ := os.ReadFile(r.Containers[0].LogPath); return len(out) > 0 })
		// sleep has no handler: as first process of a pid namespace it does not
		// hear of SIGTERM, and SIGKILL comes from outside.
		if err := k.Signal(ctx, "sig", sig); err != nil {
			t.Fatal(err)
		}
		if sig == syscall.SIGTERM {
			if err := k.Kill(ctx, "sig"); err != nil {
				t.Fatal(err)
			}
		}
		if e := k.exit(); e.Signal != syscall.SIGKILL || e.OOMKilled {
			t.Errorf("%v: exit %+v", sig, e)
		}
		if err := k.Signal(ctx, "sig", sig); !errors.Is(err, shim.ErrStopped) {
			t.Errorf("signal after the end: %v", err)
		}
		if err := errors.Join(k.Delete(ctx, "sig"), os.Remove(r.Containers[0].LogPath)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallsOnWhatIsNotThere(t *testing.T) {
	k := newKeeper(t)
	ctx := context.Background()
	if err := k.Start(ctx, "none", 0); !errors.Is(err, shim.ErrNotFound) {
		t.Errorf("start: %v", err)
	}
	if err := k.Kill(ctx, "none"); !errors.Is(err, shim.ErrNotFound) {
		t.Errorf("kill: %v", err)
	}
	if err := k.Delete(ctx, "none"); err != nil {
		t.Errorf("delete: %v", err)
	}
	r := k.request("twice", "sleep", "60")
	if err := k.Create(ctx, r, nil); err != nil {
		t.Fatal(err)
	}
	if err := k.Create(ctx, k.request("twice", "true"), nil); !errors.Is(err, shim.ErrExists) {
		t.Errorf("second create: %v", err)
	}
	l, err := k.List(ctx)
	if err != nil || len(l) != 1 || l[0].Containers[0].State != shim.Created || l[0].Containers[0].PID == 0 {
		t.Errorf("list %+v, %v", l, err)
	}
	// Deleting a container that never started, and one that runs.
	if err := k.Delete(ctx, "twice"); err != nil {
		t.Fatal(err)
	}
}

func TestSyslogReachesTheLog(t *testing.T) {
	k := newKeeper(t)
	e, out := k.run(k.request("syslog", "sh", "-c", `ls -l /dev/log; echo "<14>hello syslog" | nc -u local:/dev/log 2>&1; busybox logger from-logger`))
	if !strings.Contains(out, "syslog F") || !strings.Contains(out, "from-logger") {
		t.Errorf("exit %+v, log:\n%s", e, out)
	}
}

// The longest name, in a directory with a long name and an odd one.
func TestLongAndOddNames(t *testing.T) {
	k := newKeeper(t)
	odd := filepath.Join(t.TempDir(), "a,b:c\\d", strings.Repeat("long", 30))
	if err := os.MkdirAll(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	process, err := shim.Spawn(shim.SpawnConfig{Binary: testenv.Binary(t, "runnel-shim"), Dir: odd, Lifeline: true})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	inner := *k
	if inner.Client, err = shim.Dial(odd, func(e shim.Exit) { k.exits <- e }); err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	r := inner.request(strings.Repeat("n", 63), "sh", "-c", "busybox logger hi; echo $_LIBCONTAINER_INITPIPE $_LIBCONTAINER_LOGPIPE")
	// Variables that libcontainer's own start obeys are the image's to set here.
	r.Containers[0].Spec.Process.Env = append(r.Containers[0].Spec.Process.Env, "_LIBCONTAINER_INITPIPE=1", "_LIBCONTAINER_LOGPIPE=2")
	if e, out := inner.run(r); e.Code != 0 || !strings.Contains(out, "hi") || !strings.Contains(out, "F 1 2\n") {
		t.Errorf("exit %+v, log:\n%s", e, out)
	}
}

// What a shim has not been told to forget is there for the next daemon.
func TestExitsAreKeptUntilAcknowledged(t *testing.T) {
	testenv.Root(t)
	dir := t.TempDir()
	spawn := func() *shim.Process {
		p, err := shim.Spawn(shim.SpawnConfig{Binary: testenv.Binary(t, "runnel-shim"), Dir: dir, Lifeline: true})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := shim.Exit{ID: "old", Code: 3, At: time.Now().UTC()}
	line, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	// An exit of an earlier shim, and one that was being written as it died.
	if err := os.WriteFile(filepath.Join(dir, "exits"), append(line, "\n{\"id\":\"to"...), 0o600); err != nil {
		t.Fatal(err)
	}
	for round, acked := range []bool{false, true} {
		p := spawn()
		exits := make(chan shim.Exit, 10)
		c, err := shim.Dial(dir, func(e shim.Exit) { exits <- e })
		if err != nil {
			t.Fatal(err)
		}
		if got := <-exits; got != want {
			t.Errorf("round %d: %+v, want %+v", round, got, want)
		}
		if acked {
			if err := c.Ack(context.Background(), "old"); err != nil {
				t.Error(err)
			}
			if l, err := c.List(context.Background()); err != nil || len(l) != 0 {
				t.Errorf("after the acknowledgement: %+v, %v", l, err)
			}
		}
		c.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if rest, err := os.ReadFile(filepath.Join(dir, "exits")); err != nil || len(rest) != 0 {
		t.Errorf("journal still holds %q", rest)
	}
}
