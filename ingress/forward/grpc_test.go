package forward

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// call is one way to call; the four kinds differ in what streams.
func call(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	s.SetTrailer(metadata.Pairs("x-trailer", "t"))
	if method == "/test.Echo/Fail" {
		return status.Error(codes.FailedPrecondition, "no")
	}
	for {
		in := new(wrapperspb.StringValue)
		if err := s.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for i := range 2 {
			if err := s.SendMsg(wrapperspb.String(fmt.Sprint(in.Value, i))); err != nil || method == "/test.Echo/One" {
				return err
			}
		}
	}
}

// contract: NET-4, NET-5
func TestGRPCFlows(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnknownServiceHandler(call))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	f := newFront(t, l.Addr().String(), true, nil)
	c, err := grpc.NewClient(f.addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	t.Run("one for one", func(t *testing.T) {
		out, trailer := new(wrapperspb.StringValue), metadata.MD{}
		err := c.Invoke(ctx, "/test.Echo/One", wrapperspb.String("a"), out, grpc.Trailer(&trailer))
		if err != nil || out.Value != "a0" || fmt.Sprint(trailer["x-trailer"]) != "[t]" {
			t.Errorf("%q, %v, %v", out.Value, trailer, err)
		}
	})
	t.Run("no answer but a status", func(t *testing.T) {
		trailer := metadata.MD{}
		err := c.Invoke(ctx, "/test.Echo/Fail", wrapperspb.String("a"), new(wrapperspb.StringValue), grpc.Trailer(&trailer))
		if status.Code(err) != codes.FailedPrecondition || status.Convert(err).Message() != "no" || fmt.Sprint(trailer["x-trailer"]) != "[t]" {
			t.Errorf("%v, %v", err, trailer)
		}
	})
	t.Run("stream for stream", func(t *testing.T) {
		stream, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Echo/Both")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if err := stream.SendMsg(wrapperspb.String(fmt.Sprint(i, "."))); err != nil {
				t.Fatal(err)
			}
			for j := range 2 {
				out := new(wrapperspb.StringValue)
				if err := stream.RecvMsg(out); err != nil || out.Value != fmt.Sprint(i, ".", j) {
					t.Fatal(out.Value, err)
				}
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(new(wrapperspb.StringValue)); err != io.EOF || fmt.Sprint(stream.Trailer()["x-trailer"]) != "[t]" {
			t.Errorf("%v, %v", err, stream.Trailer())
		}
	})
	t.Run("one way streams", func(t *testing.T) {
		stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Echo/Down")
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(wrapperspb.String("a")); err != nil {
			t.Fatal(err)
		}
		// The answer begins before the client says that it has no more to say.
		out := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(out); err != nil || out.Value != "a0" {
			t.Errorf("%q, %v", out.Value, err)
		}
		up, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, "/test.Echo/One")
		if err != nil {
			t.Fatal(err)
		}
		if err := up.SendMsg(wrapperspb.String("b")); err != nil {
			t.Fatal(err)
		}
		// This one answers before the client is ready.
		if err := up.RecvMsg(out); err != nil || out.Value != "b0" {
			t.Errorf("%q, %v", out.Value, err)
		}
	})
}
