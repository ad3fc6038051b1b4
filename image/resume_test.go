package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// contract: REG-2
// A download that breaks over HTTP/2 goes on, although the protocol's errors
// have no exported type.
func TestResumeOverHTTP2(t *testing.T) {
	t.Parallel()
	blob := make([]byte, 1<<20)
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return
		}
		asked++
		if r.ProtoMajor != 2 {
			t.Errorf("speaks %s", r.Proto)
		}
		_, _ = w.Write(blob[:len(blob)/2])
		if asked == 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(blob[len(blob)/2:])
	}))
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	server.Config.Protocols, server.Config.ErrorLog = &h2, log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	ref, err := ParseReference(strings.TrimPrefix(server.URL, "http://") + "/repo")
	must(t, err)
	r := newRegistry(ref, nil)
	defer func() { must(t, r.close()) }()
	r.network.http.Protocols = &h2
	body, err := r.blob(deadline(t), descriptor{Digest: string(digestOf(blob)), Size: int64(len(blob))})
	must(t, err)
	defer func() { must(t, body.Close()) }()
	if n, err := io.Copy(io.Discard, body); n != int64(len(blob)) || err != nil || asked != 2 {
		t.Errorf("%d bytes after %d requests, %v", n, asked, err)
	}
}

// contract: REG-6
func TestTransient(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://r/", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	read := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://r/", Err: &net.OpError{Op: "read", Net: "tcp", Err: err}}
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"refused connection":  {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), true},
		"no route":            {dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), true},
		"dial times out":      {dial(os.ErrDeadlineExceeded), true},
		"reset":               {read(syscall.ECONNRESET), true},
		"no answer any more":  {read(syscall.ETIMEDOUT), true},
		"name server fails":   {dial(&net.DNSError{Err: "server misbehaving", Name: "r", IsTemporary: true}), true},
		"name server is late": {dial(&net.DNSError{Err: "i/o timeout", Name: "r", IsTimeout: true}), true},
		"no such host":        {dial(&net.DNSError{Err: "no such host", Name: "r", IsNotFound: true}), false},
		"private address":     {dial(&refusedError{"10.0.0.1"}), false},
		"broken body":         {fmt.Errorf("%w: stream error", errBroken), true},
		"wrong content":       {fmt.Errorf("%w: x", ErrDigest), false},
		"certificate":         {errors.New("x509: unknown authority"), false},
		"cancelled":           {context.Canceled, false},
	} {
		if got := transient(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReasonNamesTheHost(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"no such host r":                &net.DNSError{Err: "no such host", Name: "r", IsNotFound: true},
		"look up r: server misbehaving": &net.DNSError{Err: "server misbehaving", Name: "r", IsTemporary: true},
	} {
		if got := reason(&net.OpError{Op: "dial", Err: err}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
