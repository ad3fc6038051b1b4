package wire

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	"runnel/api/schedules"
	v2 "runnel/api/v2"
)

// newGRPC is the gRPC server. It has no connections of its own: net/http hands
// it requests, after the same checks that all others pass.
func (s *Server) newGRPC() *grpc.Server {
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(shorten, s.intercept),
		grpc.MaxRecvMsgSize(maxBody),
		grpc.ForceServerCodecV2(newCodec()),
	)
	v2.Register(server, s.config.Control)
	schedules.Register(server, s.config.Control)
	return server
}

// intercept is around every call of a service, whichever way it came.
func (s *Server) intercept(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (out any, err error) {
	// gRPC calls it on a goroutine of its own, where a panic would end the
	// daemon.
	defer func() {
		if reason := recover(); reason != nil {
			s.logPanic(info.FullMethod, reason)
			out, err = nil, errPanic()
		}
	}()
	if strings.HasSuffix(info.FullMethod, "/WaitOperation") {
		out, err = s.waitUntilClosing(ctx, in, handler)
	} else {
		out, err = handler(ctx, in)
	}
	switch code := status.Code(err); code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		if ctx.Err() == nil {
			s.config.Logger.Error("call failed", "call", info.FullMethod, "err", err)
		}
	}
	return out, err
}

// maxStatus bounds the message of an error, and its details, in bytes. gRPC
// carries them in headers, of which some clients take 8 KiB and no more.
const maxStatus = 2 << 10

// shorten makes every error one that clients take.
func shorten(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	out, err := handler(ctx, in)
	if st, ok := status.FromError(err); err != nil && ok {
		err = rest.Shorten(st, maxStatus).Err()
	}
	return out, err
}

// waitUntilClosing calls a handler that may wait for long, and ends it with
// UNAVAILABLE, upon which clients ask again, when Shutdown begins.
func (s *Server) waitUntilClosing(ctx context.Context, in any, handler grpc.UnaryHandler) (any, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	out, err := handler(waiting, in)
	if err != nil && ctx.Err() == nil && s.closing.Err() != nil {
		return nil, errStopping()
	}
	return out, err
}

// errStopping is what a caller is told whose wait Shutdown ends.
func errStopping() error { return status.Error(codes.Unavailable, "runnel is stopping: try again") }

// isGRPC reports whether a request is a gRPC call.
func isGRPC(r *http.Request) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Content-Type"), "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// refuseGRPC answers a gRPC call with nothing but err.
func refuseGRPC(w http.ResponseWriter, err error) {
	st := status.Convert(err)
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(st.Code())))
	h.Set("Grpc-Message", url.PathEscape(st.Message()))
	w.WriteHeader(http.StatusOK)
}
