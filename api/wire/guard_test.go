package wire_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"runnel/api/wire"
)

const token = "correct-horse-battery-staple"

// nowhere is a path that nothing is served at: who gets a 404 has been let in.
const nowhere = "/v2/nowhere"

func TestCallersOverTCPMustBringTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, wire.Config{Token: token, Open: []string{"/open"}})
	client := newClient(t, false, nil)
	for _, tt := range []struct {
		path, header string
		code         int
	}{
		{nowhere, "", 401},
		{"/open", "", 404},
		{"/open/x", "", 401},
		{nowhere, "Bearer", 401},
		{nowhere, "Bearer ", 401},
		{nowhere, "Bearer wrong", 401},
		{nowhere, "Bearer " + token + "x", 401},
		{nowhere, "Bearer " + token[1:], 401},
		{nowhere, "Basic " + token, 401},
		{nowhere, token, 401},
		{nowhere, "Bearer " + token, 404},
		{nowhere, "bearer " + token, 404},
		{nowhere, "Bearer  " + token, 404},
		{"/apis/", "", 401},
		{"/healthz", "", 200},
		{"/healthz/x", "", 401},
		{"/healthz?access_token=" + token, "", 200},
	} {
		code, header, text := get(t, client, "GET", "http://"+s.addr+tt.path, "", "Authorization", tt.header)
		if code != tt.code {
			t.Errorf("%s with %q: %d %s, want %d", tt.path, tt.header, code, text, tt.code)
		}
		asked := strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer ") && strings.Contains(text, `"UNAUTHENTICATED"`)
		if asked != (code == 401) {
			t.Errorf("%s with %q: %d %v %s", tt.path, tt.header, code, header, text)
		}
	}
	if text := s.log.text(); strings.Contains(text, token) || strings.Contains(text, "wrong") {
		t.Errorf("the log has a token: %s", text)
	}
}

// dial is a gRPC connection in the clear.
func dial(t testing.TB, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	c, err := grpc.NewClient(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestGRPCCallersMustBringTheToken(t *testing.T) {
	t.Parallel()
	s := start(t, wire.Config{Token: token})
	instances := runpb.NewInstancesClient(dial(t, s.addr))
	for header, want := range map[string]codes.Code{
		"":                codes.Unauthenticated,
		"Bearer wrong":    codes.Unauthenticated,
		"Bearer " + token: codes.Unimplemented,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := instances.GetInstance(metadata.AppendToOutgoingContext(ctx, "authorization", header), &runpb.GetInstanceRequest{})
		if status.Code(err) != want || strings.Contains(err.Error(), "%20") || strings.Contains(err.Error(), "HTTP") {
			t.Errorf("%q: %v, want %v", header, err, want)
		}
	}
}

// A peer of the unix socket needs no token, and its Host says nothing.
func TestPeersOfTheUnixSocketAreTrusted(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := startOn(t, wire.Config{Token: token}, ln)
	if code, _, text := get(t, unixClient(t, s.addr), "GET", "http://evil.example"+nowhere, ""); code != 404 {
		t.Errorf("%d %s", code, text)
	}
	if code, _, text := get(t, unixClient(t, s.addr), "GET", "http://x"+nowhere, "", "Origin", "http://x"); code != 403 {
		t.Errorf("a page by the unix socket: %d %s", code, text)
	}
}

func TestWebPagesAndForeignNamesAreRefused(t *testing.T) {
	t.Parallel()
	open := start(t, wire.Config{Hosts: []string{"Build1.example.com"}})
	closed := start(t, wire.Config{Token: token})
	for _, tt := range []struct {
		s             *server
		header, value string
		code          int
	}{
		{open, "Host", "localhost", 404},
		{open, "Host", "LOCALHOST:8787", 404},
		{open, "Host", "localhost.:1", 404},
		{open, "Host", "us-central1-localhost:8787", 404},
		{open, "Host", "us-central1.localhost", 404},
		{open, "Host", "127.0.0.1", 404},
		{open, "Host", "127.0.0.2:80", 404},
		{open, "Host", "[::1]", 404},
		{open, "Host", "[::1]:8787", 404},
		{open, "Host", "build1.example.com:8787", 404},
		{open, "Host", "europe-west1-build1.example.com", 404},
		{open, "Host", "evil.example.com", 403},
		{open, "Host", "xbuild1.example.com", 403},
		{open, "Host", "localhost.evil.com", 403},
		{open, "Host", "127.0.0.1.evil.com", 403},
		{open, "Host", "192.168.0.1", 403},
		{closed, "Host", "evil.example.com", 404},
		{open, "Origin", "http://localhost", 403},
		{open, "Origin", "null", 403},
		{closed, "Origin", "https://example.com", 403},
		{open, "Sec-Fetch-Site", "cross-site", 403},
		{open, "Sec-Fetch-Site", "none", 404},
		{open, "Sec-Fetch-Mode", "cors", 404}, // Node's fetch sends it
	} {
		headers := []string{tt.header, tt.value, "Authorization", "Bearer " + token}
		code, header, text := get(t, newClient(t, false, nil), "GET", "http://"+tt.s.addr+nowhere, "", headers...)
		if code != tt.code || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s: %d %s, want %d", tt.header, tt.value, code, text, tt.code)
		}
	}
}

// A listener that others reach is not served without a token.
func TestServeDoesNotLetEverybodyIn(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.New(wire.Config{}).Serve(ln); !errors.Is(err, wire.ErrOpen) {
		t.Errorf("serve %s: %v", ln.Addr(), err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is left open: %v", err)
	}
}
