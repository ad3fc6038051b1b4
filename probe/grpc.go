package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// grpc calls grpc.health.v1.Health.Check over HTTP/2 without TLS.
// Source: gRPC, "GRPC Health Checking Protocol".
func (c Check) grpc(ctx context.Context, to netip.AddrPort) error {
	// Why there is no connection is told to whoever dials, and not by the call.
	dialed := make(chan error, 1)
	conn, err := grpc.NewClient("passthrough:///"+to.String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := dial(ctx, to)
			select {
			case dialed <- err:
			default:
			}
			return conn, err
		}),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		grpc.WithUserAgent(userAgent), grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxBody)),
	)
	if err != nil {
		return fmt.Errorf("client of %v: %w", to, err)
	}
	defer conn.Close()
	answer, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: c.Service})
	if err != nil {
		select {
		case why := <-dialed:
			if why != nil {
				return why
			}
		default:
		}
		return c.failed(err)
	}
	if s := answer.GetStatus(); s != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("the answer is %v", s)
	}
	return nil
}

// failed says in words for people why a call has failed.
func (c Check) failed(err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.NotFound:
		return fmt.Errorf("the server knows no service %q", c.Service)
	case codes.Unimplemented:
		return errors.New("the server has no service grpc.health.v1.Health")
	case codes.Unavailable:
		return errors.New("the server does not speak gRPC, or closed the connection")
	}
	return fmt.Errorf("the call failed: %v: %s", s.Code(), s.Message())
}
