package integration

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"runnel/integration/rig"
)

// contract: NET-4, NET-5
// Google's gRPC test service, by their client: every kind of call, with fields
// before and after it.
func TestGRPCService(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("rpc", "--use-http2", "--set-env-vars", "H2C=1").Exits(0)
	conn := d.DialRPC("rpc")
	rpc := grpc_testing.NewTestServiceClient(conn)
	ctx := rig.WithEchoes(h.Limit(rig.Patience()))

	var header, trailer metadata.MD
	large, err := rpc.UnaryCall(ctx, &grpc_testing.SimpleRequest{
		ResponseSize: 3 << 20, Payload: &grpc_testing.Payload{Body: make([]byte, 3<<20)},
	}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil || len(large.GetPayload().GetBody()) != 3<<20 {
		t.Errorf("unary: %d bytes, %v", len(large.GetPayload().GetBody()), err)
	}
	rig.HasEchoes(t, "unary", header, trailer)

	const message = "a message\t\nwith ☺ and 😈\r\n"
	_, err = rpc.UnaryCall(ctx, &grpc_testing.SimpleRequest{ResponseStatus: &grpc_testing.EchoStatus{Code: 2, Message: message}})
	if s := status.Convert(err); s.Code() != codes.Unknown || s.Message() != message {
		t.Errorf("a refusal is %v, %q", s.Code(), s.Message())
	}
	if _, err := rpc.UnimplementedCall(ctx, &grpc_testing.Empty{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("a call that there is not: %v", err)
	}
	if well, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, nil); err != nil || well.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", well, err)
	}

	up, err := rpc.StreamingInputCall(ctx)
	for i := 0; err == nil && i < 100; i++ {
		err = up.Send(&grpc_testing.StreamingInputCallRequest{Payload: &grpc_testing.Payload{Body: make([]byte, 10_000)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := up.CloseAndRecv(); err != nil || sum.GetAggregatedPayloadSize() != 1_000_000 {
		t.Errorf("client streaming: %v, %v", sum, err)
	}

	down, err := rpc.StreamingOutputCall(ctx, rig.Answers(100_000, 1, 0, 500_000))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{100_000, 1, 0, 500_000} {
		if m, err := down.Recv(); err != nil || len(m.GetPayload().GetBody()) != want {
			t.Errorf("server streaming: %d bytes, %v, want %d", len(m.GetPayload().GetBody()), err, want)
		}
	}
	if _, err := down.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("server streaming ends with %v", err)
	}
	rig.Converse(ctx, t, rpc)

	// A stream that its client gives up ends in the service too.
	short, leave := context.WithCancel(ctx)
	stream, err := rpc.FullDuplexCall(short)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("a stream that was left: %v", err)
	}
	s, _ := requestAs(d, d.Requests(), "rpc")
	if s.Protocol != "HTTP/2.0" {
		t.Errorf("the service sees %s", s.Protocol)
	}
}

// contract: NET-6
// Messages pass both ways over a WebSocket, until the request timeout ends it.
func TestWebSocketUntilTheRequestTimeout(t *testing.T) {
	rig.HostOnly(t, "what comes before the timeout may take longer there")
	h := openHost(t)
	d := h.ServeRequests()
	const timeout = 8 * time.Second
	d.Deploy("ws", "--timeout", timeout.String()).Exits(0)
	d.Get("ws", "/").Is(h, 200)
	ctx := h.Limit(rig.Patience())
	client := d.Requests()
	client.Timeout = 0 // which would be that of the connection
	begin := time.Now()
	c, resp, err := websocket.Dial(ctx, "ws://ws.run.localhost/ws", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }() // it is closed
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("it begins with %s", resp.Status)
	}
	for kind, text := range map[websocket.MessageType]string{websocket.MessageText: "hällo", websocket.MessageBinary: strings.Repeat("\x00\xff", 10_000)} {
		if err := c.Write(ctx, kind, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if k, back, err := c.Read(ctx); err != nil || k != kind || string(back) != text {
			t.Fatalf("%v: %d bytes come back as %v, %v", kind, len(back), k, err)
		}
	}
	_, _, err = c.Read(ctx)
	if took := time.Since(begin); err == nil || ctx.Err() != nil || took < timeout-time.Second {
		t.Errorf("after %v it ends with %v, want about %v", took, err, timeout)
	}
	d.Get("ws", "/").Is(h, 200)
}
