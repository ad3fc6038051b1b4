package contract

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop/grpc_testing"
	rpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"runnel/integration/rig"
)

// rpc is a client of the gRPC test service, and a context with fields for it.
func (s site) rpc() (context.Context, grpc_testing.TestServiceClient) {
	s.t.Helper()
	return rig.WithEchoes(s.Host.Limit(rig.Patience())), grpc_testing.NewTestServiceClient(s.DialRPC(s.name))
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
	rig.HasEchoes(t, "unary", header, trailer)
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
	down, err := rpc.StreamingOutputCall(ctx, rig.Answers(1, 0, 100_000))
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
	rig.Converse(ctx, t, rpc)
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
