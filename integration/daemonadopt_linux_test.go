package integration

import (
	"cmp"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
)

// contract: JOB-25, MD-8
// A task lives on when the daemon is killed, and when it is stopped: the same
// process, the same log, the same metadata server; and the next daemon counts
// its end.
func TestTasksOutliveTheDaemon(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(3 * patience())
	steady := single(h, `echo pid $$; i=0
while [ ! -e /tmp/stop ]; do
  i=$((i+1)); echo tick $i
  wget -q -O /tmp/answer --header 'Metadata-Flavor: Google' http://metadata.google.internal/computeMetadata/v1/instance/id && echo id $(cat /tmp/answer)
  [ $i -ge 25 ] && break
  sleep 0.5
done; echo over; exit 7`)
	steady.Template.Retries = &runpb.TaskTemplate_MaxRetries{}
	d.createJob(ctx, "steady", steady)
	x := d.begin(ctx, "steady")
	d.eventually("the task runs", func() bool { return strings.Contains(d.logs(x), "tick 2\n") })
	before := d.entrypoint()

	d.kill()
	links := linksHere(t)
	if r := h.run(h.script("echo here", "--root", d.root)...); r.code != 1 || !strings.Contains(r.stderr, "in use") {
		t.Errorf("a run in the root of living tasks: exit %d\n%s", r.code, r)
	}
	if now := linksHere(t); now != links {
		t.Errorf("the refused run has changed the links from %s to %s", links, now)
	}
	<-time.After(1500 * time.Millisecond) // it ticks on meanwhile
	d.start()
	if after := d.entrypoint(); after != before {
		t.Errorf("the entrypoint before the kill is %s, after %s", before, after)
	}
	d.stop()
	<-time.After(time.Second)
	d.start()

	x = d.completed(ctx, x.GetName())
	if x.GetFailedCount() != 1 || x.GetRetriedCount() != 0 {
		t.Errorf("the execution counts %v", x)
	}
	log := d.logs(x)
	for i := 1; i <= 25; i++ {
		if strings.Count(log, "tick "+strconv.Itoa(i)+"\n") != 1 {
			t.Fatalf("tick %d is missing or there twice\n%s", i, log)
		}
	}
	if n := strings.Count(log, "\nid "); n != 25 {
		t.Errorf("%d of 25 questions to the metadata server were answered\n%s", n, log)
	}
	if ids := distinct(log, "id "); len(ids) != 1 {
		t.Errorf("the instance had the IDs %v", ids)
	}
}

// The shim is killed: its instances are lost, the execution is not.
func TestExecutionOutlivesTheShim(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(2 * patience())
	d.createJob(ctx, "lost", single(h, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 0 ] && sleep 1000; echo over`))
	x := d.begin(ctx, "lost")
	d.eventually("the task runs", func() bool { return strings.Contains(d.logs(x), "attempt 0\n") })
	h.kill(d.shim())
	x = d.completed(ctx, x.GetName())
	if x.GetSucceededCount() != 1 || x.GetRetriedCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
	if log := d.logs(x); !strings.Contains(log, "attempt 1\nover\n") {
		t.Errorf("the second attempt is missing\n%s", log)
	}
}

// Daemon and shim are killed together, as by the end of the host.
func TestExecutionOutlivesDaemonAndShim(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(2 * patience())
	d.createJob(ctx, "lost", single(h, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 0 ] && sleep 1000; echo over`))
	x := d.begin(ctx, "lost")
	d.eventually("the task runs", func() bool { return strings.Contains(d.logs(x), "attempt 0\n") })
	shim := d.shim()
	d.kill()
	h.kill(shim)
	d.start()
	x = d.completed(ctx, x.GetName())
	if x.GetSucceededCount() != 1 || x.GetRetriedCount() != 1 {
		t.Errorf("the execution counts %v", x)
	}
}

// A second daemon on the same root is refused, and harms nothing.
func TestSecondDaemonIsRefused(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	second := h.startWith(func(*exec.Cmd) {}, "serve", "--root", d.root, "--socket", d.socket+"2", "--api", freeAddress(h), "--config", os.DevNull).wait()
	if second.code != 1 || !strings.Contains(second.stderr, "in use") {
		t.Errorf("exit %d\n%s", second.code, second)
	}
	d.ready()
}

// single is the template of one task of busybox that runs script.
func single(h *host, script string) *runpb.ExecutionTemplate {
	return &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{
		Containers: []*runpb.Container{{
			Image: h.shell(), Args: []string{script},
			Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "0.5", "memory": "128Mi"}},
		}},
	}}
}

// shim is the pid of the daemon's shim, whoever started it.
func (d *daemon) shim() (pid int) {
	d.h.Helper()
	d.eventually("there is a shim", func() bool {
		for p, name := range processesHere(d.h.T) {
			exe, err := os.Readlink("/proc/" + p + "/exe")
			if err == nil && strings.Contains(exe, "runnel-shim") && strings.Contains(name, d.root) {
				pid, _ = strconv.Atoi(p) // a directory of /proc
			}
		}
		return pid != 0
	})
	return pid
}

// entrypoint is the process of the daemon's one instance that was there first:
// what it starts comes and goes.
func (d *daemon) entrypoint() string {
	d.h.Helper()
	pids := d.h.instances([]string{d.root})
	slices.SortFunc(pids, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	if len(pids) == 0 {
		return "none"
	}
	return pids[0]
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
