package contract

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop/grpc_testing"
	rpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"runnel/integration/rig"
)

// Fields that the gRPC test service sends back, before the answer and after it.
const (
	before = "x-grpc-test-echo-initial"
	after  = "x-grpc-test-echo-trailing-bin"
)

// rpc is a client of the gRPC test service, and a context with fields for it.
func (s site) rpc() (context.Context, grpc_testing.TestServiceClient) {
	s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.name+".run.localhost:80", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", s.Ingress)
		}))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() }) // it is closed once
	ctx := s.Host.Limit(rig.Patience())
	return rpcmetadata.AppendToOutgoingContext(ctx, before, "begin", after, "\x00end\xff"), grpc_testing.NewTestServiceClient(conn)
}

// of asks for answers of these sizes.
func of(sizes ...int32) *grpc_testing.StreamingOutputCallRequest {
	r := new(grpc_testing.StreamingOutputCallRequest)
	for _, n := range sizes {
		r.ResponseParameters = append(r.ResponseParameters, &grpc_testing.ResponseParameters{Size: n})
	}
	return r
}

// contract: NET-5
func TestNET5GRPCWorksUnaryAndStreaming(t *testing.T) {
	ctx, rpc := duplex.open(t).rpc()
	var header, trailer rpcmetadata.MD
	body := &grpc_testing.Payload{Body: make([]byte, 100_000)}
	one, err := rpc.UnaryCall(ctx, &grpc_testing.SimpleRequest{ResponseSize: 200_000, Payload: body}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || len(one.GetPayload().GetBody()) != 200_000 {
		t.Errorf("unary: %d bytes, %v", len(one.GetPayload().GetBody()), err)
	}
	hasFields(t, "unary", header, trailer)
	_, err = rpc.UnaryCall(ctx, &grpc_testing.SimpleRequest{ResponseStatus: &grpc_testing.EchoStatus{Code: 2, Message: "hällo"}})
	if s := status.Convert(err); s.Code() != codes.Unknown || s.Message() != "hällo" {
		t.Errorf("an error is %v, %q", s.Code(), s.Message())
	}

	up, err := rpc.StreamingInputCall(ctx)
	for i := 0; err == nil && i < 3; i++ {
		err = up.Send(&grpc_testing.StreamingInputCallRequest{Payload: body})
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := up.CloseAndRecv(); err != nil || sum.GetAggregatedPayloadSize() != 300_000 {
		t.Errorf("streaming in: %v, %v", sum, err)
	}
	down, err := rpc.StreamingOutputCall(ctx, of(1, 0, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0, 100_000} {
		if m, err := down.Recv(); err != nil || len(m.GetPayload().GetBody()) != want {
			t.Errorf("streaming out: %d bytes, %v, want %d", len(m.GetPayload().GetBody()), err, want)
		}
	}
	if _, err := down.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("streaming out ends with %v", err)
	}
	converse(ctx, t, rpc)
}

// converse sends each message when the one before is answered.
func converse(ctx context.Context, t *testing.T, rpc grpc_testing.TestServiceClient) {
	t.Helper()
	both, err := rpc.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int32{314, 15, 9265} {
		if err := both.Send(of(n)); err != nil {
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
	hasFields(t, "both ways", header, both.Trailer())
}

func hasFields(t *testing.T, what string, header, trailer rpcmetadata.MD) {
	t.Helper()
	if a, b := header.Get(before), trailer.Get(after); len(a) != 1 || a[0] != "begin" || len(b) != 1 || b[0] != "\x00end\xff" {
		t.Errorf("%s: begins with %q and ends with %q", what, a, b)
	}
}

// contract: NET-6
func TestNET6WebSocketsPassUntilTheRequestTimeout(t *testing.T) {
	s := brief.open(t)
	ctx := s.Host.Limit(rig.Patience())
	client := s.Requests()
	client.Timeout = 0 // which would be that of the connection
	begin := time.Now()
	c, _, err := websocket.Dial(ctx, "ws://brief.run.localhost/ws", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }() // it is closed
	for kind, text := range map[websocket.MessageType]string{websocket.MessageText: "hällo", websocket.MessageBinary: "\x00\xff"} {
		if err := c.Write(ctx, kind, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if k, back, err := c.Read(ctx); err != nil || k != kind || string(back) != text {
			t.Fatalf("%q comes back as %v %q, %v", text, k, back, err)
		}
	}
	if _, _, err = c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it ends with %v", err)
	}
	if took := time.Since(begin); took < 15*time.Second {
		t.Errorf("it ends after %v, want 15 s", took)
	}
	place(s.Daemon, nameOf(t), "--timeout", "3601").Exits(2).Shows("3600")
}
