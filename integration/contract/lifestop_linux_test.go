package contract

import (
	"os"
	"testing"
	"time"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// grace is the time between SIGTERM and SIGKILL, and inexact how much earlier than
// it was something may look to have happened, by the times of lines.
const (
	grace   = 10 * time.Second
	inexact = time.Second
)

// mostGrace is the longest that what is to last ten seconds, as grace is, may look
// to last: what takes more than twice that, beside other tests, was given more.
func mostGrace() time.Duration {
	if os.Getenv(testenv.EnvVM) == "1" {
		return 6 * grace
	}
	return 2 * grace
}

// switchOff has a service without instances from now on.
func switchOff(d *rig.Daemon, name string) {
	d.Host.Helper()
	d.CLI("services", "update", name, "--scaling", "0").Exits(0)
}

// contract: LIFE-7
func TestLIFE7StoppingIsSIGTERMAndSIGKILLTenSecondsLater(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	d.CLI(withSide(d, name, []string{"--set-env-vars", "IGNORE_TERM=1"}, []string{"--set-env-vars", "IGNORE_TERM=1,SIDE_PORT=9090"})...).Exits(0)
	besideListens(d, name)
	begin, both := time.Now(), d.Started(name)
	switchOff(d, name)
	d.End("the processes that stay at SIGTERM", both)
	if took := time.Since(begin); took < grace || took > mostGrace() {
		t.Errorf("killed after %v, want %v", took, grace)
	}
	d.Until("every container has been told to go", func() bool { return len(d.When(name, "told to go")) == 2 })
	if len(d.When(name, "gone")) != 0 {
		t.Error("one has gone by itself")
	}
}

// contract: LIFE-8
func TestLIFE8CPUIsThereWhileAnInstanceIsStopped(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--cpu", "0.5", "--no-cpu-boost", "--set-env-vars", "IGNORE_TERM=1")
	d.Until("the instance is idle", func() bool { return d.Quotas(name)["1000"] })
	d.CLI("services", "update", name, "--scaling", "0", "--async").Exits(0)
	d.Until("the instance that is told to go has its CPU", func() bool { return d.Quotas(name)["50000"] })
	d.Says(name, "told to go")
	if q := d.Quotas(name); q["1000"] {
		t.Errorf("before it is killed its quota is %v", q)
	}
}

// contract: LIFE-9
func TestLIFE9RequestsOfAnInstanceThatGoesAreFinished(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--scaling", "1", "--concurrency", "1", "--set-env-vars", "START_DELAY=12s") // who waits has 3.5 times as long
	first := d.Hold(name)
	d.CLI("services", "update", name, "--scaling", "2").Exits(0)
	second := d.Hold(name)
	d.CLI("services", "update", name, "--scaling", "1").Exits(0)
	waits := d.BeginGet(name, "/self") // as one of the two has to go
	d.Settles(name, 2)                 // and neither goes while it is busy
	last := second.Finish().Is(d.Host, 200, "to the end")
	d.Settles(name, 1)
	if waits.IsOver() {
		t.Errorf("the instance that is to go, %s, has taken %v", last.Header.Get("Process"), waits.Wait())
	}
	stays := first.Finish().Is(d.Host, 200, "to the end").Header.Get("Process")
	waits.Wait().Is(d.Host, 200, stays)
	if stays == last.Header.Get("Process") {
		t.Error("one instance has had both requests")
	}
}

// contract: LIFE-12
func TestLIFE12AProcess1WithoutAHandlerLivesUntilSIGKILL(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	goes(d, name)
	d.CLI("deploy", name, "--image", d.Host.Shell(), "--allow-unauthenticated", "--cpu", "0.2", "--memory", "128Mi",
		"--args", "^\x01^exec httpd -f -p $PORT -h /etc").Exits(0)
	d.Get(name, "/nosuch").Is(d.Host, 404)
	begin, deaf := time.Now(), d.Started(name)
	switchOff(d, name)
	d.End("the processes that do not hear SIGTERM", deaf)
	if took := time.Since(begin); took < grace || took > mostGrace() {
		t.Errorf("killed after %v, want %v", took, grace)
	}
}
