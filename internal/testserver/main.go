// Command testserver is the program that the tests of services deploy: an HTTP
// and gRPC server that tells what it sees, and misbehaves when it is asked to.
//
// Its environment, beside Cloud Run's:
//
//	LISTEN        the address to listen on; all if empty
//	SIDE_PORT     the port where there is no PORT, instead of 8080
//	START_DELAY   how long it does nothing first, such as 2s
//	H2C=1         serve HTTP/2 without TLS, and gRPC
//	SPIN=1        count in the background as fast as it can, see /count
//	IGNORE_TERM=1 stay when told to go
//	EXIT_AFTER    end by itself after that time, with status 3
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/interop/grpc_testing"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until it is told to go.
func run() error {
	s := newServer()
	if delay, err := time.ParseDuration(os.Getenv("START_DELAY")); err == nil {
		<-time.After(delay)
	}
	if after, err := time.ParseDuration(os.Getenv("EXIT_AFTER")); err == nil {
		time.AfterFunc(after, func() { os.Exit(3) })
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = cmp.Or(os.Getenv("SIDE_PORT"), "8080")
	}
	l, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("LISTEN"), port))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.handler(), Protocols: protocols()}
	fmt.Println("listening on", l.Addr())
	go goAtTerm(server)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Println("gone")
	return nil
}

// protocols are those that the environment asks for.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(os.Getenv("H2C") == "")
	p.SetUnencryptedHTTP2(os.Getenv("H2C") != "")
	return p
}

// goAtTerm answers what is under way and ends.
func goAtTerm(server *http.Server) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	for range signals {
		fmt.Println("told to go")
		if os.Getenv("IGNORE_TERM") == "" {
			ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
			defer cancel()
			_ = server.Shutdown(ctx) // who takes longer is cut off
			return
		}
	}
}

// handler answers gRPC and everything else.
func (s *server) handler() http.Handler {
	rpc := grpc.NewServer()
	grpc_testing.RegisterTestServiceServer(rpc, interop.NewTestServer())
	grpc_health_v1.RegisterHealthServer(rpc, s.health)
	mux := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		defer s.count()()
		mux.ServeHTTP(w, r)
	})
}

func newServer() *server {
	s := &server{health: health.NewServer()}
	s.says.Store(http.StatusOK)
	s.health.SetServingStatus(wellService, grpc_health_v1.HealthCheckResponse_SERVING)
	s.health.SetServingStatus(illService, grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	if os.Getenv("SPIN") != "" {
		go s.spin()
	}
	return s
}
