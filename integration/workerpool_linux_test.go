package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/integration/rig"
)

// workers is a daemon with Google's clients of worker pools for Go.
type workers struct {
	*rig.Daemon
	ctx       context.Context
	pools     *run.WorkerPoolsClient
	revisions *run.RevisionsClient
}

// serveWorkers starts a daemon, whose clients speak REST.
func serveWorkers(h *rig.Host, flags ...string) *workers {
	h.Helper()
	return workersOf(h.Serve(flags...), true)
}

// workersOf are clients of a daemon, over REST or over gRPC.
func workersOf(d *rig.Daemon, rest bool) *workers {
	d.Host.Helper()
	w := &workers{Daemon: d, ctx: d.Host.Limit(5 * rig.Patience())}
	var err error
	if rest {
		w.pools, err = run.NewWorkerPoolsRESTClient(w.ctx, d.REST()...)
	} else {
		w.pools, err = run.NewWorkerPoolsClient(w.ctx, d.GRPC()...)
	}
	if err == nil && rest {
		w.revisions, err = run.NewRevisionsRESTClient(w.ctx, d.REST()...)
	} else if err == nil {
		w.revisions, err = run.NewRevisionsClient(w.ctx, d.GRPC()...)
	}
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = w.pools.Close() })     // grpc closes its connection with the options
	d.Host.Cleanup(func() { _ = w.revisions.Close() }) // as above
	return w
}

// script is a container that runs a script.
func (w *workers) script(text string) *runpb.Container {
	w.Host.Helper()
	return &runpb.Container{
		Image: w.Host.Shell(), Args: []string{text},
		Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1", "memory": "128Mi"}},
	}
}

// forever is a script of one process that goes on, also when it is told to go.
const forever = "exec sleep 1000000"

// server is a container of one process that goes when it is told to.
func (w *workers) server() *runpb.Container {
	c := w.script("")
	c.Image, c.Args = w.Host.Server(), nil
	return c
}

// pool is a worker pool of containers: as many instances as count, or the default
// if that is negative.
func pool(count int, containers ...*runpb.Container) *runpb.WorkerPool {
	p := &runpb.WorkerPool{Template: &runpb.WorkerPoolRevisionTemplate{Containers: containers}}
	if count >= 0 {
		p.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(int32(count))}
	}
	return p
}

func poolName(id string) string { return rig.Parent + "/workerPools/" + id }

// deploys creates or updates a worker pool, as gcloud does, and waits until that
// is done, or has failed.
func (w *workers) deploys(id string, p *runpb.WorkerPool) (*runpb.WorkerPool, error) {
	w.Host.Helper()
	p = proto.CloneOf(p)
	p.Name = poolName(id)
	return w.updates(&runpb.UpdateWorkerPoolRequest{WorkerPool: p, AllowMissing: true})
}

// updates makes a change and waits until it is made, or has failed.
func (w *workers) updates(r *runpb.UpdateWorkerPoolRequest) (p *runpb.WorkerPool, err error) {
	w.Host.Helper()
	op, err := w.pools.UpdateWorkerPool(w.ctx, r)
	if err != nil {
		return nil, err
	}
	w.Eventually("the change of "+r.GetWorkerPool().GetName()+" is made", func() bool { // Wait begins with a second
		p, err = op.Poll(w.ctx)
		return op.Done()
	})
	return p, err
}

// deployed is deploys of what must succeed.
func (w *workers) deployed(id string, p *runpb.WorkerPool) *runpb.WorkerPool {
	w.Host.Helper()
	got, err := w.deploys(id, p)
	if err != nil {
		w.Host.Fatalf("deploy %s: %v", id, err)
	}
	if got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || got.GetReconciling() {
		w.Host.Errorf("deployed: %v", got)
	}
	return got
}

// scaled changes how many instances a worker pool has, and nothing else.
func (w *workers) scaled(id string, count int) *runpb.WorkerPool {
	w.Host.Helper()
	p := w.is(id)
	p.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(int32(count))}
	return w.deployed(id, p)
}

// is a worker pool as it stands.
func (w *workers) is(id string) *runpb.WorkerPool {
	w.Host.Helper()
	p, err := w.pools.GetWorkerPool(w.ctx, &runpb.GetWorkerPoolRequest{Name: poolName(id)})
	if err != nil {
		w.Host.Fatal(err)
	}
	return p
}

// deleted deletes a worker pool and waits until it is gone.
func (w *workers) deleted(id string) {
	w.Host.Helper()
	op, err := w.pools.DeleteWorkerPool(w.ctx, &runpb.DeleteWorkerPoolRequest{Name: poolName(id)})
	if err != nil {
		w.Host.Fatal(err)
	}
	w.Eventually(id+" is gone", func() bool {
		if _, err = op.Poll(w.ctx); err != nil {
			w.Host.Fatal(err)
		}
		return op.Done()
	})
}

// running are the processes of worker pools. Each container is one, if its script
// goes on as a program.
func (w *workers) running() map[string]bool {
	w.Host.Helper()
	pids := pidsOf(w.Daemon)
	for pid := range pids {
		if rig.Environ(pid)["CLOUD_RUN_WORKER_POOL"] == "" {
			delete(pids, pid) // it has been created, and not been started yet
		}
	}
	return pids
}

// number waits until so many processes run, and no other is there, and gives them.
func (w *workers) number(n int) (pids map[string]bool) {
	w.Host.Helper()
	w.Eventually(fmt.Sprintf("%d processes run", n), func() bool {
		pids = w.running()
		return len(pids) == n && len(pidsOf(w.Daemon)) == n
	})
	return pids
}

// revisionsOf counts processes by their revision.
func revisionsOf(pids map[string]bool) map[string]int {
	n := map[string]int{}
	for pid := range pids {
		n[rig.Environ(pid)["CLOUD_RUN_WORKER_POOL_REVISION"]]++
	}
	return n
}

// entry is an entry of Cloud Logging.
type entry struct {
	LogName, TextPayload, Severity string
	Timestamp                      time.Time
	Labels                         map[string]string
	Resource                       struct {
		Type   string
		Labels map[string]string
	}
}

// entries are the entries of a worker pool or of a revision, by its full name.
func (w *workers) entries(name string) (all []entry) {
	w.Host.Helper()
	client := w.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://daemon/logs/v1/" + name + ":stream?system=true")
	if err != nil {
		w.Host.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.Host.Fatalf("logs of %s: %s", name, resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			w.Host.Fatalf("%v in %s", err, lines.Bytes())
		}
		all = append(all, e)
	}
	return all
}

// tells are the texts of a worker pool's entries, a line each.
func (w *workers) tells(id string) string {
	w.Host.Helper()
	var b strings.Builder
	for _, e := range w.entries(poolName(id)) {
		b.WriteString(e.TextPayload + "\n")
	}
	return b.String()
}

// tellsOf waits until the entries of a worker pool hold every one of texts.
func (w *workers) tellsOf(id string, texts ...string) (log string) {
	w.Host.Helper()
	w.Host.Cleanup(func() {
		if w.Host.Failed() {
			w.Host.Logf("the log of %s:\n%s", id, rig.Clip(log))
		}
	})
	w.Eventually("the log of "+id+" has "+strings.Join(texts, " and "), func() bool {
		log = w.tells(id)
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
	return log
}

// times are when a worker pool has printed a text.
func (w *workers) times(id, text string) (at []time.Time) {
	w.Host.Helper()
	for _, e := range w.entries(poolName(id)) {
		if e.TextPayload == text {
			at = append(at, e.Timestamp)
		}
	}
	return at
}
