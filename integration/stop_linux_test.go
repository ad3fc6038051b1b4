package integration

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// endless is a script that says it is up and ends at SIGTERM.
const endless = `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done`

// contract: JOB-12
func TestInterruptStopsEveryTask(t *testing.T) {
	h := openHost(t)
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}} {
		p := h.Start(h.Script(endless, "--tasks", "3", "--parallelism", "2", "--cpu", "0.5", "--memory", "128Mi")...)
		testenv.Eventually(t, rig.Patience(), func() bool { return strings.Count(p.Stdout.String(), "stdout up") == 2 }, "two tasks are up")
		p.Signal(c.signal)
		r := p.Wait().Exits(c.code)
		if n := strings.Count(r.Stdout, "stdout bye"); n != 2 {
			t.Errorf("%v: %d tasks said goodbye, want 2\n%s", c.signal, n, r)
		}
		if n := strings.Count(r.Stdout, "  Cancelled  "); n != 3 {
			t.Errorf("%v: %d tasks cancelled, want 3\n%s", c.signal, n, r)
		}
	}
}

// contract: JOB-12
func TestInterruptGivesTenSeconds(t *testing.T) {
	h := openHost(t)
	p := h.Start(h.Script(`trap 'echo heard' TERM; echo up; while :; do sleep 0.05; done`, "--format", "json")...)
	p.Says(p.Stdout, `"up"`)
	began := time.Now()
	p.Signal(syscall.SIGINT)
	o := readJSON(p.Wait().Exits(130))
	if took := time.Since(began); took < 10*time.Second {
		t.Errorf("killed after %v", took)
	}
	if got := o.task(0); got.Signal != 9 || got.State != "Cancelled" || !strings.Contains(o.text(0, "stdout"), "heard") {
		t.Errorf("%+v\n%s", got, o.Result)
	}
}

func TestSecondInterruptKillsAtOnce(t *testing.T) {
	h := openHost(t)
	p := h.Start(h.Script(`trap 'echo heard' TERM; echo up; while :; do sleep 0.05; done`)...)
	p.Says(p.Stdout, "stdout up")
	began := time.Now()
	p.Signal(syscall.SIGINT)
	p.Says(p.Stdout, "stdout heard")
	p.Signal(syscall.SIGINT)
	r := p.Wait().Exits(130)
	if took := time.Since(began); took >= 10*time.Second {
		t.Errorf("it took %v\n%s", took, r)
	}
}

// contract: JOB-12
// At whatever moment the signal comes, the run ends by it and leaves nothing.
func TestInterruptAtAnyMoment(t *testing.T) {
	h := openHost(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	moments := 15
	if testing.Short() {
		moments = 5
	}
	for i := range moments {
		// A whole run takes half a second on a quiet host; the last moments lie
		// beyond it, in the teardown.
		delay := time.Duration((float64(i) + random.Float64()) / float64(moments) * float64(700*time.Millisecond))
		p := h.Start(h.Script(`trap 'exit 0' TERM; echo up; sleep 0.1 & wait`, "--tasks", "3", "--parallelism", "2")...)
		<-time.After(delay)
		p.Signal(syscall.SIGINT)
		checkInterrupted(p.Wait(), fmt.Sprintf("after %v", delay))
		checkNoRoots(h, delay.String())
	}
}

// checkInterrupted looks whether a run was ended by the signal, or had come to
// its end before.
func checkInterrupted(r rig.Result, when string) {
	r.Host.Helper()
	if r.Code == 130 || r.Code == 0 && strings.Contains(r.Stderr, "successfully completed") {
		return
	}
	r.Host.Errorf("%s: exit %d\n%s", when, r.Code, r)
}

// checkNoRoots looks at once whether a run that has ended left its directory.
func checkNoRoots(h *rig.Host, when string) {
	h.Helper()
	for _, left := range h.Left(rig.ProcessesHere(h.TB)) {
		h.Errorf("%s: left %s", when, left)
	}
}

// contract: JOB-12
// The same at moments that the registry decides.
func TestInterruptWhilePulling(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	server := imagetest.Serve(t)
	ref := server.Host + "/app:1"
	imagetest.Push(t, imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), {Entries: []imagetest.Entry{imagetest.File("big", strings.Repeat("x", 1<<20), 0o644)}}},
		Config: rig.ShellConfig(),
	}, ref)
	server.Intercept(nil)
	for k := 1; k <= 5; k++ {
		root := h.KeptRoot()
		stop := make(chan *rig.Process, 1)
		var once sync.Once
		served := 0
		var mu sync.Mutex
		server.Intercept(func(w http.ResponseWriter, r *http.Request, registry http.Handler) {
			mu.Lock()
			served++
			now := served == k
			mu.Unlock()
			if now {
				once.Do(func() { (<-stop).Signal(syscall.SIGINT) })
				<-r.Context().Done() // the answer never comes: only the signal can end the wait
				return
			}
			registry.ServeHTTP(w, r)
		})
		p := h.Start("--image", ref, "--args", endless, "--root", root)
		stop <- p
		testenv.Eventually(t, rig.Patience(), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return served >= k || strings.Contains(p.Stdout.String(), "up")
		}, "the registry is asked")
		p.Signal(syscall.SIGINT) // for the case that fewer than k questions were asked
		r := p.Wait()
		if r.Code != 130 {
			t.Errorf("at request %d: exit %d\n%s", k, r.Code, r)
		}
		if r.Took > time.Minute {
			t.Errorf("at request %d: it took %v", k, r.Took)
		}
	}
}
