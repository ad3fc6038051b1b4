package integration

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// contract: WP-2
// The daemon is killed, again and again: the same processes go on and count.
func TestWorkersOutliveTheDaemon(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	w.deployed("mill", pool(2, w.server(), named("beside", w.script(forever))))
	before := w.number(4)
	goesOn := func(how string) {
		t.Helper()
		if now := w.number(4); !sameProcesses(now, before) {
			t.Errorf("after a %s the processes are %v, were %v", how, now, before)
		}
	}
	w.Kill()
	w.Start()
	goesOn("kill")
	w.Stop()
	w.Start()
	goesOn("stop")

	// One that ends while nobody looks is replaced, with what belongs to it.
	w.Kill()
	for pid := range before {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		h.Kill(n)
		break
	}
	w.Start()
	w.Eventually("the other instance runs, and a new one", func() bool {
		now := w.running()
		return len(now) == 4 && kept(now, before) == 2
	})
	before = w.number(4)
	if p := w.scaled("mill", 3); p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
		t.Errorf("%v", p)
	}
	if now := w.number(6); kept(now, before) != 4 {
		t.Errorf("the processes are %v, were %v", now, before)
	}
	w.scaled("mill", 0)
	w.number(0)
}

// kept counts the processes that were there before.
func kept(now, before map[string]bool) (n int) {
	for pid := range now {
		if before[pid] {
			n++
		}
	}
	return n
}

// A daemon that is killed during a deployment has it go on in its next life.
func TestDeploymentOfWorkersGoesOn(t *testing.T) {
	h := openHost(t)
	w := serveWorkers(h)
	c := w.script("echo here; sleep 3; exec httpd -f -p 9090 -h /etc")
	c.StartupProbe = &runpb.Probe{PeriodSeconds: 60, FailureThreshold: 1, ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 9090}}}
	op, err := w.pools.CreateWorkerPool(w.ctx, &runpb.CreateWorkerPoolRequest{Parent: rig.Parent, WorkerPoolId: "mill", WorkerPool: pool(2, c)})
	if err != nil {
		t.Fatal(err)
	}
	w.Eventually("an instance starts", func() bool { return len(pidsOf(w.Daemon)) > 0 })
	w.Kill()
	w.Start()
	var p *runpb.WorkerPool
	w.Eventually("the operation is done", func() bool {
		if p, err = op.Poll(w.ctx); err != nil {
			t.Fatal(err)
		}
		return op.Done()
	})
	if p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || p.GetLatestReadyRevision() == "" {
		t.Errorf("%v", p)
	}
	w.number(2)
	if n := len(w.times("mill", "here")); n != 2 {
		t.Errorf("%d instances have been started, want 2", n)
	}
}

// contract: WP-8, LOG-1, LOG-8, LOG-9, LOG-12
// What workers print is found as gcloud asks for it.
func TestLogsOfWorkers(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	w := serveWorkers(h)
	p := w.deployed("mill", pool(1, named("main", w.script(`echo plain; echo '{"severity":"ERROR","message":"bad","code":7}' >&2; `+forever)), named("beside", w.script("echo beside; "+forever))))
	w.deployed("other", pool(1, w.script("echo of another; "+forever)))
	revision := path.Base(p.GetLatestReadyRevision())
	w.tellsOf("mill", "plain", "beside")
	w.tellsOf("other", "of another")
	for filter, want := range map[string]int{
		`resource.type=cloud_run_worker_pool AND resource.labels.worker_pool_name=mill AND log_id("run.googleapis.com/stdout")`: 2,
		`resource.type=cloud_run_worker_pool AND resource.labels.revision_name=` + revision + ` AND severity=ERROR`:             1,
		`resource.labels.worker_pool_name=mill AND labels.container_name=beside AND severity=DEFAULT`:                           1,
		`resource.labels.worker_pool_name=mill AND log_id("run.googleapis.com/varlog/system")`:                                  1,
		`resource.type=cloud_run_revision`: 0,
	} {
		var found []entry
		w.Eventually("all that "+filter+" finds", func() bool {
			found = w.list(filter)
			return len(found) >= want
		})
		if len(found) > want {
			t.Errorf("%s finds %d entries, want %d: %+v", filter, len(found), want, found)
		}
		for _, e := range found {
			l := e.Resource.Labels
			if e.Resource.Type != "cloud_run_worker_pool" || l["worker_pool_name"] != "mill" || l["revision_name"] != revision ||
				l["location"] != "europe-west1" || l["project_id"] != "demo" || e.Labels["instanceId"] == "" {
				t.Errorf("%+v", e)
			}
		}
	}
}

// list are the entries that a filter lets through, as entries.list of the Cloud
// Logging API has them.
func (w *workers) list(filter string) []entry {
	w.Host.Helper()
	body, err := json.Marshal(map[string]any{"resourceNames": []string{"projects/demo"}, "filter": filter, "pageSize": 1000})
	if err != nil {
		w.Host.Fatal(err)
	}
	client := w.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://daemon/v2/entries:list", "application/json", bytes.NewReader(body))
	if err != nil {
		w.Host.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Entries []entry }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		w.Host.Fatalf("%s: %s, %v", filter, resp.Status, err)
	}
	return answer.Entries
}

// A shim that is killed takes its workers along. Others are started.
func TestShimIsKilledUnderWorkers(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	w := serveWorkers(h)
	w.deployed("mill", pool(2, w.server()))
	before := w.number(2)
	h.Kill(w.Process.Shim())
	w.Eventually("the processes end", func() bool {
		for pid := range before {
			if isHere(pid) {
				return false
			}
		}
		return true
	})
	if w.Process.Ended() {
		w.Process.Wait()
		w.Start()
	}
	w.number(2)
	<-time.After(time.Second)
	w.number(2)
}

// A daemon that is killed at any moment of a deployment, again and again, ends up
// with what was asked for last, and nothing else.
func TestDaemonIsKilledDuringDeployments(t *testing.T) {
	rig.HostOnly(t, "it would take too long")
	h := openHost(t)
	w := serveWorkers(h)
	c := w.server()
	w.deployed("mill", pool(3, c))
	for n := range 8 {
		c.Env = greeting(strconv.Itoa(n))
		p := pool(2+n%3, c)
		p.Name = poolName("mill")
		if _, err := w.pools.UpdateWorkerPool(w.ctx, &runpb.UpdateWorkerPoolRequest{WorkerPool: p}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(n) * 170 * time.Millisecond)
		w.Kill()
		w.Start()
	}
	c.Env = greeting("last")
	p := w.deployed("mill", pool(4, c))
	w.split(map[string]int{path.Base(p.GetLatestReadyRevision()): 4})
	w.greets(w.number(4), "last")
	w.deleted("mill")
	w.number(0)
}
