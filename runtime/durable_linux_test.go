package runtime_test

import (
	"context"
	"errors"
	"fmt"
	stdnet "net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"runnel/internal/testenv"
	rnet "runnel/net"
	rruntime "runnel/runtime"
)

const minute = time.Minute

// log is what an instance has printed.
func (r *root) log(id string) string {
	out, _ := os.ReadFile(filepath.Join(r.Dir, "logs", id+".log"))
	return string(out)
}

// logs waits until an instance has printed want.
func (r *root) logs(id, want string) {
	r.t.Helper()
	var out string
	defer func() {
		if r.t.Failed() {
			r.t.Logf("log of %s:\n%s", id, out)
		}
	}()
	testenv.Eventually(r.t, minute, func() bool { out = r.log(id); return strings.Contains(out, want) }, id, "prints", want)
}

// pid is the process that an instance's container executes.
func (r *root) pid(id string) int {
	r.t.Helper()
	for _, tree := range []string{"", "/memory"} {
		procs, err := os.ReadFile("/sys/fs/cgroup" + tree + r.Parent + "/" + id + "/cgroup.procs")
		if err != nil {
			continue
		}
		for _, pid := range strings.Fields(string(procs)) {
			if !testenv.IsFirst(pid) {
				continue // a child of its, which may have the lower number
			}
			n, err := strconv.Atoi(pid)
			if err != nil {
				r.t.Fatal(err)
			}
			return n
		}
	}
	r.t.Fatalf("no process in the group of %s", id)
	return 0
}

func (r *root) kill(pid int, sig syscall.Signal) {
	r.t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		r.t.Fatal(err)
	}
}

func (r *root) adopt(d *daemon, id string) *rruntime.Instance {
	r.t.Helper()
	s := r.spec(id, "")
	s.Containers = nil // of no account any more
	i, err := d.Adopt(r.t.Context(), s)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := i.Delete(context.Background()); err != nil && !errors.Is(err, rruntime.ErrClosed) {
			r.t.Error(err)
		}
	})
	return i
}

func (r *root) wait(i *rruntime.Instance) rruntime.Exit {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*minute)
	defer cancel()
	e, err := i.Wait(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// runs reports whether a process has not ended. Who is to reap one whose parent
// was killed is not our business.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[0]
	return state != "Z" && state != "X"
}

// must fails the test at the first error.
func (r *root) must(errs ...error) {
	r.t.Helper()
	if err := errors.Join(errs...); err != nil {
		r.t.Fatal(err)
	}
}

// asks prints a line every moment; told by SIGUSR1, it asks the metadata server
// and the resolver, and on SIGTERM it ends with 7.
const asks = `
	trap 'echo asking
		wget -q -O - --header "Metadata-Flavor: Google" http://169.254.169.254/computeMetadata/v1/instance/id; echo
		nslookup metadata.google.internal 169.254.169.254 && echo resolved' USR1
	trap 'exit 7' TERM
	n=0
	while :; do n=$((n+1)); echo tick-$n; sleep 0.05; done`

// A daemon that is killed is not noticed by instances: they run on, log on, and
// who asks for metadata meanwhile is answered by the next.
func TestInstancesOutliveTheDaemon(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	for _, id := range []string{"running", "ending", "over"} {
		p.do("create", id, map[bool]string{true: "exit 3", false: asks}[id == "over"])
		p.do("start", id, "")
	}
	p.do("create", "waiting", "echo it starts")
	if got := p.do("wait", "over", ""); got != "3" {
		t.Fatalf("exit %s", got)
	}
	r.logs("running", "tick-1\n")
	r.logs("ending", "tick-1\n")
	running, ending := r.pid("running"), r.pid("ending")
	p.kill()

	ticks := strings.Count(r.log("running"), "tick")
	testenv.Eventually(t, minute, func() bool { return strings.Count(r.log("running"), "tick") > ticks+3 }, "the log goes on")
	r.kill(running, syscall.SIGUSR1)
	r.kill(ending, syscall.SIGTERM)
	r.logs("running", "asking")
	testenv.Eventually(t, minute, func() bool { return !runs(ending) }, "the instance ends")

	d := r.lastDaemon()
	ended := time.Now()
	if got := d.Survivors(); !slices.Equal(got, []string{"ending", "over", "running", "waiting"}) {
		t.Errorf("survivors %v", got)
	}
	if d.Idle() {
		t.Error("idle with survivors")
	}
	i := r.adopt(d, "running")
	r.logs("running", "id-of-running")
	r.logs("running", "resolved")
	if now := r.pid("running"); now != running || !i.Started() {
		t.Errorf("process %d, was %d; started %v", now, running, i.Started())
	}
	if strings.Contains(r.log("running"), "refused") || strings.Contains(r.log("running"), "error") {
		t.Errorf("not answered:\n%s", r.log("running"))
	}
	for id, code := range map[string]int{"ending": 7, "over": 3} {
		gone := r.adopt(d, id)
		if e := r.wait(gone); e.Code != code || e.Lost || e.At.After(ended) || !gone.Started() {
			t.Errorf("%s: exit %+v, started %v", id, e, gone.Started())
		}
		r.must(gone.Delete(t.Context()))
	}
	waiting := r.adopt(d, "waiting")
	if waiting.Started() {
		t.Error("the waiting instance counts as started")
	}
	r.must(waiting.Start(t.Context()))
	if e := r.wait(waiting); !e.Succeeded() || !waiting.Started() {
		t.Errorf("exit %+v", e)
	}
	r.must(waiting.Delete(t.Context()), i.Stop(t.Context(), minute))
	if e := r.wait(i); e.Code != 7 {
		t.Errorf("exit %+v", e)
	}
	r.must(i.Delete(t.Context()))
	if _, err := d.Adopt(t.Context(), r.spec("over", "")); !errors.Is(err, rruntime.ErrNotFound) {
		t.Errorf("adopted twice: %v", err)
	}
}

// The same when the daemon is closed in order, again and again, in one process
// and in another.
func TestInstancesOutliveAnOrderlyDaemon(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "running", asks)
	p.do("start", "running", "")
	r.logs("running", "tick-1\n") // it hears signals
	p.do("close", "", "")
	p.kill()
	for round := range 3 {
		d := r.nextDaemon()
		i := r.adopt(d, "running")
		r.kill(r.pid("running"), syscall.SIGUSR1)
		testenv.Eventually(t, minute, func() bool { return strings.Count(r.log("running"), "resolved") == round+1 }, "answered in round", round)
		waited := make(chan error)
		go func() { _, err := i.Wait(context.Background()); waited <- err }()
		r.must(d.close(), d.close())
		if err := <-waited; !errors.Is(err, rruntime.ErrClosed) {
			t.Errorf("wait beyond the launcher: %v", err)
		}
		if err := i.Delete(t.Context()); !errors.Is(err, rruntime.ErrClosed) {
			t.Errorf("delete beyond the launcher: %v", err)
		}
		if _, err := d.Create(t.Context(), r.spec("late", "true")); !errors.Is(err, rruntime.ErrClosed) {
			t.Errorf("create beyond the launcher: %v", err)
		}
	}
	r.lastDaemon()
}

// A daemon is killed at any moment of its instances' lives; what is left of each
// is a survivor, and nothing is left in the end.
func TestDaemonKilledAtAnyMomentLeavesNothingUnknown(t *testing.T) {
	r := newRoot(t)
	for round := range 12 {
		p := r.play()
		p.do("churn", fmt.Sprintf("round-%d-", round), "")
		<-time.After(time.Duration(37*round%200) * time.Millisecond)
		p.kill()
		if round%3 == 2 {
			d := r.nextDaemon()
			for _, id := range d.Survivors() {
				i := r.adopt(d, id)
				if !i.Started() {
					r.must(i.Start(t.Context()))
				}
				if e := r.wait(i); !e.Succeeded() {
					t.Errorf("%s: exit %+v", id, e)
				}
				r.must(i.Delete(t.Context()))
			}
			if !d.Idle() {
				t.Error("an instance is left")
			}
			r.must(d.close())
		}
	}
	r.lastDaemon()
}

// A directory has one daemon at a time, and what lives in it is not for an
// ephemeral launcher to sweep away.
func TestOneDaemonAtATime(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "running", asks)
	if _, err := r.open(false); !errors.Is(err, rruntime.ErrLocked) {
		t.Errorf("a second daemon: %v", err)
	}
	p.kill()
	if _, err := r.open(true); !errors.Is(err, rruntime.ErrLocked) {
		t.Errorf("an ephemeral launcher over a durable shim: %v", err)
	}
	d := r.lastDaemon()
	if got := d.Survivors(); len(got) != 1 {
		t.Errorf("survivors %v", got)
	}
}

// The shim shares nothing with the daemon that could end it too.
func TestDurableShimStandsApart(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	shim := p.do("shim", "", "")
	p.kill()
	d := r.lastDaemon()
	if got := strconv.Itoa(d.KeeperPID()); got != shim {
		t.Errorf("shim %s, was %s", got, shim)
	}
	stat, err := os.ReadFile("/proc/" + shim + "/stat")
	r.must(err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if fields[3] != shim {
		t.Errorf("the shim is in session %s", fields[3])
	}
	for fd, want := range map[string]string{"0": "/dev/null", "1": "/dev/null", "2": "/shim/shim.log"} {
		if got, err := os.Readlink("/proc/" + shim + "/fd/" + fd); err != nil || !strings.HasSuffix(got, want) {
			t.Errorf("descriptor %s is %q, %v", fd, got, err)
		}
	}
	groups, err := os.ReadFile("/proc/" + shim + "/cgroup")
	r.must(err)
	if want := "0::" + r.Parent + "/_shim\n"; !strings.Contains(string(groups), want) {
		t.Errorf("want %q in:\n%s", want, groups)
	}
}

// A listener that the shim holds takes connections while there is no daemon.
func TestHeldListenerOutlivesTheDaemon(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	address := p.do("hold", "api", "")
	p.kill()
	conn, err := stdnet.Dial("tcp", address)
	r.must(err)
	defer conn.Close()

	d := r.lastDaemon()
	files, err := d.Held(t.Context(), "api")
	r.must(err)
	if len(files) != 1 {
		t.Fatalf("%d files are held", len(files))
	}
	l, err := stdnet.FileListener(files[0])
	r.must(err, files[0].Close())
	defer l.Close()
	accepted, err := l.Accept()
	r.must(err)
	r.must(accepted.Close(), d.Drop(t.Context(), "api"), d.Drop(t.Context(), "never"))
	if files, err := d.Held(t.Context(), "api"); err != nil || len(files) != 0 {
		t.Errorf("after the drop: %v, %v", files, err)
	}
}

// An instance whose network somebody has taken away is as good as lost: it is
// ended, so that another may take its place.
func TestSurvivorWithoutItsNetwork(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "running", asks)
	p.do("start", "running", "")
	p.kill()
	r.must(rnet.Sweep(t.Context(), "test"))
	d := r.lastDaemon()
	process := r.pid("running")
	for range 2 {
		if _, err := d.Adopt(t.Context(), r.spec("running", "")); !errors.Is(err, rruntime.ErrNotFound) {
			t.Errorf("adopt: %v", err)
		}
	}
	if got := d.Survivors(); len(got) != 0 || !d.Idle() || runs(process) {
		t.Errorf("survivors %v, idle %v, process runs %v", got, d.Idle(), runs(process))
	}
}
