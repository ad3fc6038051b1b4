package logs

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/control"
	"runnel/logs/servicelog"
	"runnel/runtime/logfile"
	"runnel/scheduler/serving"
)

// fakeServices are services and worker pools that tests make up. The zero value has
// none.
type fakeServices struct {
	mu        sync.Mutex
	services  []*runpb.Service // guarded by mu, as what follows
	pools     []*runpb.WorkerPool
	instances []control.ServiceInstance // the newest last
}

// add makes a service and returns its full name.
func (f *fakeServices) add(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := "projects/local/locations/us-central1/services/" + id
	f.services = append(f.services, &runpb.Service{Name: name, CreateTime: timestamppb.Now()})
	return name
}

// addPool makes a worker pool and returns its full name.
func (f *fakeServices) addPool(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := "projects/local/locations/us-central1/workerPools/" + id
	f.pools = append(f.pools, &runpb.WorkerPool{Name: name, CreateTime: timestamppb.Now()})
	return name
}

// remove deletes a service or a worker pool.
func (f *fakeServices) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pools = slices.DeleteFunc(f.pools, func(p *runpb.WorkerPool) bool { return p.GetName() == name })
	f.services = slices.DeleteFunc(f.services, func(s *runpb.Service) bool { return s.GetName() == name })
}

// start makes an instance of a revision with containers.
func (f *fakeServices) start(id, revision string, containers ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instances = append(f.instances, control.ServiceInstance{
		ID: id, PublicID: "public-" + id, Revision: revision, Containers: containers, Live: true,
	})
}

// end ends an instance.
func (f *fakeServices) end(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.instances {
		if f.instances[i].ID == id {
			f.instances[i].Live = false
		}
	}
}

// Service implements services.
func (f *fakeServices) Service(_ context.Context, name string) (*runpb.Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.services {
		if s.GetName() == name {
			return s, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no %s", name)
}

// Services implements services.
func (f *fakeServices) Services(_ context.Context, q control.Query[*runpb.Service]) (items []*runpb.Service, next string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	project := strings.Split(q.Parent, "/")[1]
	for _, s := range f.services {
		if (project == "-" || strings.HasPrefix(s.GetName(), "projects/"+project+"/")) && (q.Match == nil || q.Match(s)) {
			items = append(items, s)
		}
	}
	return items, "", nil
}

// WorkerPool implements pools.
func (f *fakeServices) WorkerPool(_ context.Context, name string) (*runpb.WorkerPool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.pools {
		if p.GetName() == name {
			return p, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no %s", name)
}

// WorkerPools implements pools.
func (f *fakeServices) WorkerPools(_ context.Context, q control.Query[*runpb.WorkerPool]) (items []*runpb.WorkerPool, next string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	project := strings.Split(q.Parent, "/")[1]
	for _, p := range f.pools {
		if (project == "-" || strings.HasPrefix(p.GetName(), "projects/"+project+"/")) && (q.Match == nil || q.Match(p)) {
			items = append(items, p)
		}
	}
	return items, "", nil
}

// Revision implements services.
func (f *fakeServices) Revision(_ context.Context, name string) (*runpb.Revision, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.instances {
		if i.Revision == name {
			return &runpb.Revision{Name: name}, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no %s", name)
}

// ServiceInstances implements services.
func (f *fakeServices) ServiceInstances(ctx context.Context, name string) (list []control.ServiceInstance, err error) {
	owner, _, _ := strings.Cut(name, "/revisions/")
	_, err = f.Service(ctx, owner)
	if servicelog.IsWorkerPool(owner) {
		_, err = f.WorkerPool(ctx, owner)
	}
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range slices.Backward(f.instances) {
		if i.Revision == name || strings.HasPrefix(i.Revision, name+"/") {
			list = append(list, i)
		}
	}
	return list, nil
}

// serve makes a service with a revision that has one instance, and a writer of
// what happens to it.
func (w *world) serve(id string) (service, revision string, out *servicelog.Writer) {
	w.t.Helper()
	service = w.services.add(id)
	revision = service + "/revisions/" + id + "-00001-abc"
	w.services.start(id+"-1", revision, "web", "side")
	return service, revision, w.record()
}

// work makes a worker pool with a revision that has one instance, and a writer of
// what happens to it.
func (w *world) work(id string) (pool, revision string, out *servicelog.Writer) {
	w.t.Helper()
	pool = w.services.addPool(id)
	revision = pool + "/revisions/" + id + "-00001-abc"
	w.services.start(id+"-1", revision, "web", "side")
	return pool, revision, w.record()
}

// record is a writer of what happens to services, which ends with the test.
func (w *world) record() *servicelog.Writer {
	out := servicelog.New(w.dir, logfile.MinLimit)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { out.Run(ctx) })
	w.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return out
}

// print has a container of an instance print lines.
func (w *world) print(container, stream string, lines ...string) {
	w.t.Helper()
	w.mu.Lock()
	x := w.writers[container]
	if x == nil {
		x = logfile.NewWriter(logfile.Path(w.dir, container), logfile.MinLimit)
		w.writers[container] = x
	}
	w.mu.Unlock()
	for _, l := range lines {
		if _, err := x.Stream(stream).Write([]byte(l + "\n")); err != nil {
			w.t.Fatal(err)
		}
	}
}

// said is a line of the system log.
func said(revision, instance, text string) serving.Line {
	return serving.Line{Time: time.Now(), Revision: revision, Instance: instance, Container: "web", Severity: severityInfo, Text: text}
}
