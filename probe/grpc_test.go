package probe

import (
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// healthServer is a gRPC server whose health is told by the returned value, or
// has no such service without it.
func healthServer(t *testing.T, with bool) (h *health.Server, port int) {
	t.Helper()
	l, port := listen(t)
	s := grpc.NewServer()
	if with {
		h = health.NewServer()
		grpc_health_v1.RegisterHealthServer(s, h)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return h, port
}

// contract: HC-13
func TestGRPC(t *testing.T) {
	t.Parallel()
	h, port := healthServer(t, true)
	h.SetServingStatus("up", grpc_health_v1.HealthCheckResponse_SERVING)
	h.SetServingStatus("down", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	_, bare := healthServer(t, false)
	h1 := server(t, func(http.ResponseWriter, *http.Request) {})
	for name, c := range map[string]struct {
		port    int
		service string
		want    string
	}{
		"the whole server":     {port, "", ""},
		"a service":            {port, "up", ""},
		"one that is down":     {port, "down", "the answer is NOT_SERVING"},
		"one that is unknown":  {port, "nosuch", `the server knows no service "nosuch"`},
		"no health service":    {bare, "", "has no service grpc.health.v1.Health"},
		"HTTP/1.1 only":        {h1, "", "does not speak gRPC, or closed the connection"},
		"nothing that listens": {closed(t), "", "connection refused: nothing listens on port"},
	} {
		err := Check{Kind: GRPC, Port: c.port, Service: c.service, Timeout: patience}.Do(t.Context(), loopback)
		want(t, name, err, c.want)
	}
	h.SetServingStatus("up", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	want(t, "a service that goes down", Check{Kind: GRPC, Port: port, Service: "up"}.Do(t.Context(), loopback), "NOT_SERVING")
}
