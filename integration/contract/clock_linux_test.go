package contract

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// setClock sets the host's clock ahead of the true time, which begin knows.
func setClock(t *testing.T, begin time.Time, ahead time.Duration) {
	t.Helper()
	now := begin.Add(time.Since(begin) + ahead) // by the clock that nobody sets
	tv := unix.NsecToTimeval(now.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		t.Fatal(err)
	}
}

// contract: ATK-36
//
// It has the clock to itself: tests that share the daemon begin when those that
// do not run beside others have ended.
func TestATK36ClockThatJumpsTimesNothingOut(t *testing.T) {
	if os.Getenv(testenv.EnvVM) != "1" {
		t.Skip("for the virtual machine only: it sets the clock")
	}
	testenv.Root(t)
	begin := time.Now()
	t.Cleanup(func() { setClock(t, begin, 0) })
	d := rig.Open(t, &shared.images).ServeRequests()
	d.Deploy(nameOf(t), "--timeout", "300", "--max-instances", "1").Exits(0)
	d.Get(nameOf(t), "/").Is(d.Host, 200)
	// One task runs until somebody calls, the other is owed a retry, which comes after the jump.
	d.CLI(append([]string{"jobs", "deploy", nameOf(t), "--tasks", "2", "--max-retries", "1", "--task-timeout", "10m", "--cpu", "0.1", "--memory", "128Mi"},
		d.Host.Script(`echo begun at $(ip -4 addr show eth0 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')
			if [ $CLOUD_RUN_TASK_INDEX = 0 ]; then nc -l -p 8000; exit 0; fi
			sleep 10; exit $((CLOUD_RUN_TASK_ATTEMPT == 0))`)...)...).Exits(0)
	answered := make(chan rig.Answer, 1)
	client := d.Requests()
	go func() { answered <- d.Ask(client, "GET", nameOf(t), "/sleep?for=20s", nil) }()
	d.CLI("jobs", "execute", nameOf(t), "--async").Exits(0)
	logs := func(flags ...string) string {
		return d.CLI(append([]string{"jobs", "logs", nameOf(t), "--format", "value(textPayload)"}, flags...)...).Exits(0).Stdout
	}
	d.Eventually("both tasks have begun", func() bool { return strings.Count(logs(), "begun at 1") == 2 })
	waits := strings.Fields(logs("--task", "0"))
	setClock(t, begin, time.Hour)
	d.Get(nameOf(t), "/").Is(d.Host, 200)
	d.Eventually("the retry has begun", func() bool { return strings.Count(logs(), "begun at 1") == 3 })
	setClock(t, begin, 0) // an hour back
	(<-answered).Is(d.Host, 200, "slept")
	setClock(t, begin, time.Hour)
	d.Kill() // the next daemon measures on
	d.Start()
	d.Get(nameOf(t), "/").Is(d.Host, 200)
	d.Eventually("the task still waits", func() bool {
		c, err := net.Dial("tcp", waits[len(waits)-1]+":8000")
		return err == nil && c.Close() == nil
	})
	var counts string
	d.Eventually("the execution has ended", func() bool {
		counts = d.CLI("jobs", "executions", "list", "--job", nameOf(t), "--format", "value(status.succeededCount,status.retriedCount,status.failedCount)").Exits(0).Stdout
		return strings.HasPrefix(counts, "2")
	})
	if got := strings.Fields(counts); len(got) != 2 || got[1] != "1" || strings.Count(logs(), "begun at 1") != 3 {
		t.Errorf("succeeded, retried and failed: %q\n%s", counts, logs())
	}
}
