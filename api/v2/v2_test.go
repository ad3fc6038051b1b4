package v2_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	v2 "runnel/api/v2"
	"runnel/control"
)

// Kinds that Runnel does not run answer so, whichever way they are asked, and
// before anything about the request is looked at.
func TestAbsentKindsSaySo(t *testing.T) {
	t.Parallel()
	tr := rest.New(rest.Config{Rules: v2.Rules()})
	v2.Register(tr, nil)
	const parent = "/v2/projects/p/locations/r"
	for _, target := range []string{
		"GET /instances", "POST /instances/i:start", "POST /builds:submit",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		tr.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, parent+path, nil))
		if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "Runnel runs jobs, services and worker pools") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestAbsentKindsSaySoOverGRPC(t *testing.T) {
	t.Parallel()
	c := serve(t, nil)
	_, err := runpb.NewInstancesClient(c).ListInstances(t.Context(), &runpb.ListInstancesRequest{})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "Instances.ListInstances") {
		t.Errorf("%v", err)
	}
	_, err = longrunningpb.NewOperationsClient(c).CancelOperation(t.Context(), &longrunningpb.CancelOperationRequest{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("%v", err)
	}
}

// serve returns a connection to a gRPC server for c, which may be nil.
func serve(t *testing.T, c *control.Control) *grpc.ClientConn {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	v2.Register(s, c)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	conn, err := grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}
