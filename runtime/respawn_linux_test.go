package runtime_test

import (
	"errors"
	"fmt"
	stdnet "net"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"

	rruntime "runnel/runtime"
)

// A shim that is killed takes its instances with it, all of them, and another
// takes its place.
func TestKilledShimIsReplaced(t *testing.T) {
	r := newRoot(t)
	d := r.lastDaemon()
	ctx := t.Context()
	for round := range 3 {
		running, err := d.Create(ctx, r.spec(fmt.Sprintf("running-%d", round), "(trap '' TERM HUP; sleep 1000) & sleep 1000 & echo up; sleep 1000"))
		r.must(err)
		waiting, err := d.Create(ctx, r.spec(fmt.Sprintf("waiting-%d", round), "true"))
		r.must(err, running.Start(ctx))
		r.logs(running.ID(), "up")
		process := r.pid(running.ID())
		shim := d.KeeperPID()
		r.kill(shim, syscall.SIGKILL)
		for _, i := range []*rruntime.Instance{running, waiting} {
			if e := r.wait(i); !e.Lost || e.Succeeded() {
				t.Errorf("exit %+v", e)
			}
			if err := i.Start(ctx); !errors.Is(err, rruntime.ErrLost) || errors.Is(err, rruntime.ErrKeeperGone) {
				t.Errorf("start of what is lost: %v", err)
			}
			if round == 1 {
				r.must(i.Delete(ctx)) // before there is another shim
			}
		}
		next, err := d.Create(ctx, r.spec(fmt.Sprintf("next-%d", round), "exit 4"))
		r.must(err)
		if d.KeeperPID() == shim {
			t.Error("the shim is the same")
		}
		if runs(process) {
			t.Errorf("process %d of a lost instance lives on", process)
		}
		r.must(next.Start(ctx))
		if e := r.wait(next); e.Code != 4 {
			t.Errorf("exit %+v", e)
		}
		r.must(next.Delete(ctx), running.Delete(ctx), waiting.Delete(ctx))
		if e := r.wait(running); !e.Lost {
			t.Errorf("later: exit %+v", e)
		}
	}
}

// What a shim has held, the one that takes its place holds too.
func TestNextShimHoldsWhatTheLastDid(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	address := p.do("hold", "ingress", "")
	shim, err := strconv.Atoi(p.do("shim", "", ""))
	r.must(err)
	r.kill(shim, syscall.SIGKILL)
	for p.do("shim", "", "") == strconv.Itoa(shim) {
		runtime.Gosched()
	}
	p.kill()
	conn, err := stdnet.Dial("tcp", address)
	r.must(err)
	r.must(conn.Close())
	d := r.lastDaemon()
	files, err := d.Held(t.Context(), "ingress")
	r.must(err, d.EndSurvivors(t.Context()))
	if len(files) != 1 {
		t.Fatalf("%d files are held", len(files))
	}
	r.must(files[0].Close())
}

// What nobody saw end is gone with shim and daemon; what had ended is known.
func TestDaemonAndShimKilled(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "over", "exit 3")
	p.do("start", "over", "")
	p.do("wait", "over", "")
	p.do("create", "running", asks)
	p.do("start", "running", "")
	p.do("create", "waiting", "true")
	r.logs("running", "tick")
	process := r.pid("running")
	shim, err := strconv.Atoi(p.do("shim", "", ""))
	r.must(err)
	p.kill()
	r.kill(shim, syscall.SIGKILL)

	d := r.lastDaemon()
	if got := d.Survivors(); !slices.Equal(got, []string{"over"}) {
		t.Errorf("survivors %v", got)
	}
	if runs(process) {
		t.Error("the process of a lost instance lives on")
	}
	if _, err := d.Adopt(t.Context(), r.spec("running", "")); !errors.Is(err, rruntime.ErrNotFound) {
		t.Errorf("adopt what is lost: %v", err)
	}
	i := r.adopt(d, "over")
	if e := r.wait(i); e.Code != 3 || !i.Started() {
		t.Errorf("exit %+v, started %v", e, i.Started())
	}
	r.must(i.Delete(t.Context()))
}
