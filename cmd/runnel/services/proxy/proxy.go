// Package proxy hands requests that come to a local port on to a service, with
// an identity token that the daemon has given. It listens nowhere but where it
// is told to.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// tokenHeader carries the token, so that Authorization remains the program's.
const tokenHeader = "X-Serverless-Authorization"

// headerTime is how long a client may take to send a request's header.
const headerTime = 30 * time.Second

// Serve hands requests that come to listener on to target, each with a token,
// until ctx ends, whose cause it returns. It closes the listener.
func Serve(ctx context.Context, listener net.Listener, target *url.URL, way Way, tokens Source) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: handler(target, way, tokens), Protocols: &protocols, ReadHeaderTimeout: headerTime,
		ErrorLog: log.New(discard{}, "", 0), // what clients do wrong is theirs to see
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	err := server.Close()
	<-served
	return errors.Join(context.Cause(ctx), err)
}

// discard takes what nobody reads.
type discard struct{}

// Write implements io.Writer.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// handler hands requests on.
func handler(target *url.URL, way Way, tokens Source) http.Handler {
	one, two := way.transport(false), way.transport(true)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := tokens(r.Context())
		if err != nil {
			http.Error(w, fmt.Sprintf("runnel services proxy: there is no identity token: %v", err), http.StatusBadGateway)
			return
		}
		p := &httputil.ReverseProxy{
			Rewrite: func(pr *httputil.ProxyRequest) {
				pr.SetURL(target)
				pr.Out.Host = target.Host
				pr.Out.Header["X-Forwarded-For"] = pr.In.Header["X-Forwarded-For"]
				pr.SetXForwarded()
				pr.Out.Header.Set(tokenHeader, "Bearer "+token)
			},
			Transport:     one,
			FlushInterval: -1, // streams pass as they come
			ErrorLog:      log.New(discard{}, "", 0),
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, fmt.Sprintf("runnel services proxy: cannot reach %s: %v", target, err), http.StatusBadGateway)
			},
		}
		if r.ProtoMajor == 2 {
			p.Transport = two
		}
		p.ServeHTTP(w, r)
	})
}
