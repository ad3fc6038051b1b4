package integration

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// contract: JOB-25, MD-8
// A task lives on when the daemon is killed, and when it is stopped: the same
// process, the same log, the same metadata server; and the next daemon counts
// its end.
func TestTasksOutliveTheDaemon(t *testing.T) {
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(3 * rig.Patience())
	steady := single(h, `echo pid $$; i=0
while [ ! -e /tmp/stop ]; do
  i=$((i+1)); echo tick $i
  wget -q -O /tmp/answer --header 'Metadata-Flavor: Google' http://metadata.google.internal/computeMetadata/v1/instance/id && echo id $(cat /tmp/answer)
  sleep 0.5
done; echo over; exit 7`)
	steady.Template.Retries = &runpb.TaskTemplate_MaxRetries{}
	createJob(d, ctx, "steady", steady)
	x := d.Begin(ctx, "steady")
	d.Until("the task runs", func() bool { return strings.Contains(d.Logs(x), "tick 2\n") })
	before := entrypoint(d)

	d.Kill()
	links := linksHere(t)
	if r := h.Run(h.Script("echo here", "--root", d.Root)...); r.Code != 1 || !strings.Contains(r.Stderr, "in use") {
		t.Errorf("a run in the root of living tasks: exit %d\n%s", r.Code, r)
	}
	if now := linksHere(t); now != links {
		t.Errorf("the refused run has changed the links from %s to %s", links, now)
	}
	<-time.After(1500 * time.Millisecond) // it ticks on meanwhile
	d.Start()
	if after := entrypoint(d); after != before {
		t.Errorf("the entrypoint before the kill is %s, after %s", before, after)
	}
	d.Stop()
	<-time.After(time.Second)
	d.Start()
	if after := entrypoint(d); after != before {
		t.Errorf("the entrypoint before the kill is %s, after a stop %s", before, after)
	}
	// However long all this has taken, it has ticked until now.
	if err := os.WriteFile("/proc/"+before+"/root/tmp/stop", nil, 0o600); err != nil {
		t.Fatal(err)
	}

	x = completedOf(d, ctx, x.GetName())
	if x.GetFailedCount() != 1 || x.GetRetriedCount() != 0 {
		t.Errorf("the execution counts %v", x)
	}
	log := d.Logs(x)
	if !strings.Contains(log, "over\n") {
		t.Errorf("the log ends before the task does\n%s", log)
	}
	ticks := strings.Count(log, "tick ")
	for i := 1; i <= ticks; i++ {
		if strings.Count(log, "tick "+strconv.Itoa(i)+"\n") != 1 {
			t.Fatalf("tick %d is missing or there twice\n%s", i, log)
		}
	}
	if n := strings.Count(log, "\nid "); n != ticks {
		t.Errorf("%d of %d questions to the metadata server were answered\n%s", n, ticks, log)
	}
	if ids := distinct(log, "id "); len(ids) != 1 {
		t.Errorf("the instance had the IDs %v", ids)
	}
}

// The shim is killed: its instances are lost, the execution is not.
func TestExecutionOutlivesTheShim(t *testing.T) {
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(2 * rig.Patience())
	createJob(d, ctx, "lost", single(h, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 0 ] && sleep 1000; echo over`))
	x := d.Begin(ctx, "lost")
	d.Until("the task runs", func() bool { return strings.Contains(d.Logs(x), "attempt 0\n") })
	h.Kill(shim(d))
	x = completedOf(d, ctx, x.GetName())
	if x.GetSucceededCount() != 1 || x.GetRetriedCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
	if log := d.Logs(x); !strings.Contains(log, "attempt 1\nover\n") {
		t.Errorf("the second attempt is missing\n%s", log)
	}
}

// Daemon and shim are killed together, as by the end of the host.
func TestExecutionOutlivesDaemonAndShim(t *testing.T) {
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(2 * rig.Patience())
	createJob(d, ctx, "lost", single(h, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 0 ] && sleep 1000; echo over`))
	x := d.Begin(ctx, "lost")
	d.Until("the task runs", func() bool { return strings.Contains(d.Logs(x), "attempt 0\n") })
	shim := shim(d)
	d.Kill()
	h.Kill(shim)
	d.Start()
	x = completedOf(d, ctx, x.GetName())
	if x.GetSucceededCount() != 1 || x.GetRetriedCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
}

// A second daemon on the same root is refused, and harms nothing.
func TestSecondDaemonIsRefused(t *testing.T) {
	h := openHost(t)
	d := h.Serve()
	second := h.StartWith(func(*exec.Cmd) {}, "serve", "--root", d.Root, "--socket", d.Socket+"2", "--api", rig.FreeAddress(h), "--config", os.DevNull).Wait()
	if second.Code != 1 || !strings.Contains(second.Stderr, "in use") {
		t.Errorf("exit %d\n%s", second.Code, second)
	}
	d.Ready()
}

// single is the template of one task of busybox that runs script.
func single(h *rig.Host, script string) *runpb.ExecutionTemplate {
	return &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{
		Containers: []*runpb.Container{{
			Image: h.Shell(), Args: []string{script},
			Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "0.5", "memory": "128Mi"}},
		}},
	}}
}

// shim is the pid of the daemon's shim, whoever started it.
func shim(d *rig.Daemon) (pid int) {
	d.Host.Helper()
	d.Eventually("there is a shim", func() bool {
		for p, name := range rig.ProcessesHere(d.Host.TB) {
			exe, err := os.Readlink("/proc/" + p + "/exe")
			if err == nil && strings.Contains(exe, "runnel-shim") && strings.Contains(name, d.Root) {
				pid, _ = strconv.Atoi(p) // a directory of /proc
			}
		}
		return pid != 0
	})
	return pid
}

// entrypoint is the process of the daemon's one instance that its container
// executes: what that starts comes and goes.
func entrypoint(d *rig.Daemon) string {
	d.Host.Helper()
	for _, pid := range processesOf(d.Host, []string{d.Root}) {
		if testenv.IsFirst(pid) {
			return pid
		}
	}
	return "none"
}

// linksHere are the links of all networks of Runnel's.
func linksHere(t *testing.T) string {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, l := range links {
		if strings.HasPrefix(l.Name, "rnl") {
			ours = append(ours, l.Name)
		}
	}
	return strings.Join(ours, " ")
}

// distinct are the different lines of log that begin with prefix.
func distinct(log, prefix string) map[string]int {
	found := map[string]int{}
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, prefix) {
			found[line]++
		}
	}
	return found
}
