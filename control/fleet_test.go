package control_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cgroups"
	"runnel/contract"
	"runnel/control"
	"runnel/control/controltest"
	"runnel/ingress"
	rruntime "runnel/runtime"
	"runnel/scheduler"
	"runnel/scheduler/serving"
)

// host is a fake of what is below a real fleet: its instances are web servers of
// this process, each at a loopback address of its own, which tell their revision.
// It outlives control planes.
type host struct {
	t    *testing.T
	port uint16

	mu   sync.Mutex
	all  map[string]*server // guarded by mu
	made int                // guarded by mu
}

// server is one instance.
type server struct {
	host *host
	spec rruntime.Spec
	addr netip.Addr
	http http.Server

	mu      sync.Mutex
	started bool // guarded by mu
	over    bool // guarded by mu
	ended   chan struct{}
}

// newHost finds a port that is free at all its addresses, or nearly.
func newHost(t *testing.T) *host {
	t.Helper()
	l, err := net.Listen("tcp", "127.77.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &host{t: t, port: uint16(l.Addr().(*net.TCPAddr).Port), all: map[string]*server{}}
}

func (h *host) create(_ context.Context, spec rruntime.Spec) (serving.Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made++
	s := &server{host: h, spec: spec, addr: netip.AddrFrom4([4]byte{127, 77, 1, byte(h.made)}), ended: make(chan struct{})}
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.variable("K_REVISION")) })
	h.all[spec.ID] = s
	return s, nil
}

func (h *host) adopt(_ context.Context, spec rruntime.Spec) (serving.Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.all[spec.ID]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("adopt %s: %w", spec.ID, rruntime.ErrNotFound)
}

// variable is one that the ingress container sees.
func (s *server) variable(name string) string {
	for _, v := range s.spec.Containers[0].Env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *server) StartContainer(context.Context, int) error {
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	if slices.Contains(s.spec.Containers[0].Args, "exit") {
		s.end()
		return nil
	}
	l, err := net.Listen("tcp", netip.AddrPortFrom(s.addr, s.host.port).String())
	if err != nil {
		return err
	}
	go func() { _ = s.http.Serve(l) }()
	return nil
}

func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		_ = s.http.Close()
		close(s.ended)
	}
}

func (s *server) Started() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

func (s *server) Wait(ctx context.Context) (rruntime.Exit, error) {
	select {
	case <-s.ended:
		return rruntime.Exit{Exit: contract.Exit{Code: 1}, At: time.Now()}, nil
	case <-ctx.Done():
		return rruntime.Exit{}, context.Cause(ctx)
	}
}

func (s *server) Stop(context.Context, time.Duration) error { s.end(); return nil }

func (s *server) Delete(context.Context) error {
	s.end()
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	delete(s.host.all, s.spec.ID)
	return nil
}

func (s *server) Addr() netip.Addr                  { return s.addr }
func (s *server) Start(ctx context.Context) error   { return s.StartContainer(ctx, 0) }
func (s *server) SetCPU(...contract.MilliCPU) error { return nil }
func (s *server) Usage() (cgroups.Usage, error)     { return cgroups.Usage{}, nil }

// town is a control plane with a real fleet behind a real front end.
type town struct {
	*controltest.World
	host   *host
	fleet  *serving.Fleet
	server *ingress.Server
	at     string
}

// newTown starts one.
func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{host: newHost(t)}
	w.World = controltest.Start(t, controltest.Options{Control: func(c *control.Config) {
		w.letGo(t)
		w.server = ingress.New(ingress.Config{Verify: func(string, []string) (string, error) { return "", ingress.ErrToken }})
		w.fleet = serving.New(serving.Config{
			Create: w.host.create, Adopt: w.host.adopt, Journal: c.Journal, Server: w.server, ProjectNumber: c.NumberOf,
			Budget: scheduler.NewBudget(scheduler.Resources{CPU: 8000, Memory: 8 * contract.GiB}),
		})
		c.Fleet = w.fleet
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		w.at = l.Addr().String()
		server := w.server
		go func() { _ = server.Serve(l, ingress.ListenerConfig{}) }()
	}})
	t.Cleanup(func() { w.letGo(t) })
	return w
}

// letGo takes fleet and front end away, as the end of the daemon does.
func (w *town) letGo(t *testing.T) {
	if w.fleet == nil {
		return
	}
	w.fleet.Detach()
	w.fleet.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		t.Log(err)
	}
}

// spec is a service whose instances tell their revision, with an argument.
func (w *town) spec(arg string) *runpb.Service {
	s := controltest.NewService()
	s.Template.Containers[0].Ports = []*runpb.ContainerPort{{ContainerPort: int32(w.host.port)}}
	s.Template.Containers[0].Args = []string{arg}
	s.InvokerIamDisabled = true
	return s
}

// get asks a host name, and returns the status and the body.
func (w *town) get(t *testing.T, name string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.at+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = name
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// contract: REV-4 TR-5 TAG-1 URL-2 DIS-1 AUTH-3
func TestServicesWithARealFleet(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s, op := createService(t, w.World, "hello", w.spec("first"))
	if op = w.WaitFor(op.GetName()); op.GetError() != nil {
		t.Fatal(op.GetError())
	}
	name := s.GetName()
	answers := func(host string, status int, body string) {
		t.Helper()
		code, got := w.get(t, host)
		if code != status || !strings.Contains(got, body) {
			t.Errorf("%s: %d %.200q, want %d with %q", host, code, got, status, body)
		}
	}
	first := shortName(getService(t, w.World, name).GetLatestReadyRevision())
	answers("hello.run.localhost", 200, first)
	answers("hello-123456789012.us-central1.run.localhost", 200, first)
	answers("other.run.localhost", 404, "")

	second := shortName(redeploy(t, w.World, name, "second"))
	answers("hello.run.localhost", 200, second)
	bad := getService(t, w.World, name)
	bad.Template.Containers[0].Args = []string{"exit"}
	if _, op := updateService(t, w.World, bad); op.GetError() == nil {
		t.Error("what exits at once is ready")
	} else {
		t.Log(op.GetError().GetMessage())
	}
	answers("hello.run.localhost", 200, second)
	share(t, w.World, name, to(first, 100, ""), to(second, 0, "next"))
	answers("hello.run.localhost", 200, first)
	answers("next---hello.run.localhost", 200, second)

	// The next daemon goes on with the same instances.
	made := w.host.made
	w.Restart()
	answers("hello.run.localhost", 200, first)
	answers("next---hello.run.localhost", 200, second)
	if w.host.made > made {
		t.Errorf("%d instances are new", w.host.made-made)
	}

	if _, op := updateService(t, w.World, &runpb.Service{Name: name}, "invoker_iam_disabled"); op.GetError() != nil {
		t.Error(op.GetError())
	}
	answers("hello.run.localhost", 403, "")
	if _, err := w.Control.SetPolicy(t.Context(), name, public(), nil); err != nil {
		t.Fatal(err)
	}
	answers("hello.run.localhost", 200, first)
	none := int32(0)
	updateService(t, w.World, &runpb.Service{Name: name, Scaling: &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: &none}}, "scaling")
	answers("hello.run.localhost", 503, "")
	_, op, err := w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	answers("hello.run.localhost", 404, "")
	w.Eventually("every instance to be gone", func() bool {
		w.host.mu.Lock()
		defer w.host.mu.Unlock()
		return len(w.host.all) == 0
	})
}
