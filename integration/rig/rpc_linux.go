package rig

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
)

// DialRPC is a gRPC client of a service, which ends with the test.
func (d *Daemon) DialRPC(service string) *grpc.ClientConn {
	d.Host.Helper()
	conn, err := grpc.NewClient("passthrough:///"+service+".run.localhost:80",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", d.Ingress)
		}))
	if err != nil {
		d.Host.Fatal(err)
	}
	d.Host.Cleanup(func() { _ = conn.Close() }) // it is closed once
	return conn
}

// Fields that Google's gRPC test service sends back, before the answer and after
// it.
const (
	echoBefore = "x-grpc-test-echo-initial"
	echoAfter  = "x-grpc-test-echo-trailing-bin"
)

// WithEchoes has calls carry fields that the gRPC test service sends back:
// HasEchoes looks for them.
func WithEchoes(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, echoBefore, "begin", echoAfter, "\x00end\xff")
}

// HasEchoes fails the test unless what came before the answer to a call and after
// it has the fields of WithEchoes.
func HasEchoes(t testing.TB, what string, header, trailer metadata.MD) {
	t.Helper()
	if a, b := header.Get(echoBefore), trailer.Get(echoAfter); len(a) != 1 || a[0] != "begin" || len(b) != 1 || b[0] != "\x00end\xff" {
		t.Errorf("%s: begins with %q and ends with %q", what, a, b)
	}
}

// Answers asks the gRPC test service for answers of so many bytes each.
func Answers(sizes ...int32) *grpc_testing.StreamingOutputCallRequest {
	r := new(grpc_testing.StreamingOutputCallRequest)
	for _, n := range sizes {
		r.ResponseParameters = append(r.ResponseParameters, &grpc_testing.ResponseParameters{Size: n})
	}
	return r
}

// Converse sends the gRPC test service a message in a stream both ways, and each
// further one when the one before is answered. The context is WithEchoes'.
func Converse(ctx context.Context, t testing.TB, rpc grpc_testing.TestServiceClient) {
	t.Helper()
	both, err := rpc.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int32{31415, 9, 2653, 58979} {
		if err := both.Send(Answers(n)); err != nil {
			t.Fatal(err)
		}
		if m, err := both.Recv(); err != nil || len(m.GetPayload().GetBody()) != int(n) {
			t.Fatalf("both ways: %d bytes, %v, want %d", len(m.GetPayload().GetBody()), err, n)
		}
	}
	if err := both.CloseSend(); err != nil {
		t.Error(err)
	}
	if _, err := both.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("both ways ends with %v", err)
	}
	header, err := both.Header()
	if err != nil {
		t.Error(err)
	}
	HasEchoes(t, "both ways", header, both.Trailer())
}
