package runtime_test

import (
	"bufio"
	"fmt"
	stdnet "net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"runnel/internal/testenv"
)

// contract: NET-19
func TestSeveralContainersOutliveTheDaemon(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "three", asks+nextContainer+asks+nextContainer+"echo it starts; sleep 1000")
	p.do("create", "half", "echo up; sleep 1000"+nextContainer+"echo late; exit 5")
	p.do("create", "over", "sleep 1000"+nextContainer+"exit 3")
	p.do("create", "forgotten", "sleep 1000"+nextContainer+"sleep 1000")
	p.do("start", "three", "")
	p.do("start-first", "half", "")
	p.do("start", "over", "")
	if got := p.do("wait", "over", ""); got != "3" {
		t.Fatalf("exit %s", got)
	}
	address := p.do("address", "three", "")
	r.logs("three", "tick-1\n")
	r.logs("three-1", "tick-1\n")
	before := r.pid("three/three-1")
	p.kill()
	ticks := strings.Count(r.log("three-1"), "tick")
	testenv.Eventually(t, minute, func() bool { return strings.Count(r.log("three-1"), "tick") > ticks+3 }, "the log goes on")

	d := r.lastDaemon()
	if got := d.Survivors(); !slices.Equal(got, []string{"forgotten", "half", "over", "three"}) {
		t.Errorf("survivors %v", got)
	}
	i := r.adopt(d, "three")
	if i.Addr().String() != address || r.pid("three/three-1") != before || !i.Started() {
		t.Errorf("address %v, was %s; process %d, was %d; started %v", i.Addr(), address, r.pid("three/three-1"), before, i.Started())
	}
	r.kill(before, syscall.SIGUSR1)
	r.logs("three-1", "id-of-three")
	r.must(i.SetCPU(0, 0, 0))
	if u, err := i.Usage(); err != nil || u.PIDs < 3 {
		t.Errorf("usage %+v, %v", u, err)
	}
	r.must(i.Stop(t.Context(), minute/30)) // the third does not listen
	if e := r.wait(i); e.Code != 7 || e.Container > 1 {
		t.Errorf("exit %+v", e)
	}
	r.must(i.Delete(t.Context()))

	half := r.adopt(d, "half")
	r.must(half.StartContainer(t.Context(), 1))
	if e := r.wait(half); e.Code != 5 || e.Container != 1 {
		t.Errorf("exit %+v", e)
	}
	r.must(half.Stop(t.Context(), 0), half.Delete(t.Context()))
	over := r.adopt(d, "over")
	if e := r.wait(over); e.Code != 3 || e.Container != 1 || e.Lost {
		t.Errorf("exit %+v", e)
	}
	if !over.Started() || r.pid("over/over") == 0 {
		t.Error("its other container has not run on")
	}
	r.must(over.Stop(t.Context(), 0), over.Delete(t.Context()), d.EndSurvivors(t.Context()))
	if !d.Idle() {
		t.Error("an instance is left")
	}
}

// What is left of an instance whose shim has gone with the daemon is how those of
// its containers ended that had.
func TestExitsOfSeveralOutliveTheShim(t *testing.T) {
	r := newRoot(t)
	p := r.play()
	p.do("create", "two", "sleep 1000"+nextContainer+"exit 3")
	p.do("start", "two", "")
	p.do("wait", "two", "")
	shim, err := strconv.Atoi(p.do("shim", "", ""))
	r.must(err)
	p.kill()
	r.kill(shim, syscall.SIGKILL)
	d := r.nextDaemon()
	i := r.adopt(d, "two")
	if e := r.wait(i); e.Code != 3 || e.Container != 1 || e.Lost {
		t.Errorf("exit %+v", e)
	}
	if i.Addr().IsValid() {
		t.Errorf("address %v", i.Addr())
	}
	r.must(i.Stop(t.Context(), minute), i.SetCPU(0, 0), i.Delete(t.Context()), d.close())
	if got := r.lastDaemon().Survivors(); len(got) > 0 {
		t.Errorf("survivors %v", got)
	}
}

// No connection is refused while there is no daemon, and none is lost that nobody
// has accepted: each is answered by the next.
func TestHeldListenerLosesNoConnection(t *testing.T) {
	for _, end := range []string{"killed", "closed"} {
		t.Run(end, func(t *testing.T) {
			r := newRoot(t)
			p := r.play()
			p.do("create", "running", "sleep 1000")
			p.do("start", "running", "")
			address := p.do("hold", "ingress", "")
			var conns []stdnet.Conn
			connect := func(n int) {
				for range n {
					conn, err := stdnet.Dial("tcp", address)
					r.must(err)
					_, err = fmt.Fprintf(conn, "%d\n", len(conns))
					r.must(err)
					conns = append(conns, conn)
				}
			}
			connect(5) // nobody accepts them either
			if end == "closed" {
				p.do("close", "", "")
			}
			p.kill()
			connect(50)
			d := r.lastDaemon()
			connect(5)
			files, err := d.Held(t.Context(), "ingress")
			r.must(err)
			if len(files) != 1 {
				t.Fatalf("%d files are held", len(files))
			}
			answer(t, files[0], len(conns))
			for n, conn := range conns {
				line, err := bufio.NewReader(conn).ReadString('\n')
				if line != fmt.Sprintf("heard %d\n", n) {
					t.Errorf("connection %d: %q, %v", n, line, err)
				}
				r.must(conn.Close())
			}
		})
	}
}

// answer serves n connections of a listener, which it takes over.
func answer(t *testing.T, listener *os.File, n int) {
	t.Helper()
	l, err := stdnet.FileListener(listener)
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range n {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if _, err := fmt.Fprintf(conn, "heard %s", line); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}
