package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	v2 "runnel/api/v2"
	"runnel/control"
)

// newHTTP is the server that reads requests.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		TLSConfig:         s.config.TLS,
		ReadHeaderTimeout: s.times.header,
		IdleTimeout:       s.times.idle,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: s.times.write},
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return s.ended },
		ConnContext:       withPeer,
	}
}

// handler is the way of every request: counted and guarded first, then handed
// to who answers it.
func (s *Server) handler() http.Handler {
	g := guard{token: s.config.Token, hosts: s.config.Hosts, secure: s.config.TLS != nil}
	mux := s.mux()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.calls.begin(peerOf(r.Context())) {
			refuse(w, r, status.Error(codes.Unavailable, "too many calls are in progress: try again"))
			return
		}
		defer s.calls.end()
		begin := time.Now()
		a := newAnswer(w, r, s.times.write)
		defer s.log(a, r, begin)
		defer s.recover(a, r)
		r = s.boundBody(a, r)
		r, ok := s.admit(a, r, g)
		switch {
		case !ok:
		case isGRPC(r):
			s.grpc.ServeHTTP(a, r)
		case !isClean(r.URL.EscapedPath()):
			refuse(a, r, status.Errorf(codes.NotFound, "nothing is served at %s: a part of it is empty, or dots alone", r.URL.EscapedPath()))
		default:
			mux.ServeHTTP(a, r)
		}
	})
}

// admit returns r with its caller, or refuses it.
func (s *Server) admit(a *answer, r *http.Request, g guard) (*http.Request, bool) {
	p := peerOf(r.Context())
	if err := g.checkConnection(r, p); err != nil {
		refuse(a, r, err)
		return r, false
	}
	if err := g.checkToken(r, p); err != nil && r.URL.Path != healthPath && !slices.Contains(s.config.Open, r.URL.Path) {
		a.Header().Set("WWW-Authenticate", `Bearer realm="runnel"`)
		refuse(a, r, err)
		return r, false
	}
	caller := s.config.Caller
	if p.unix {
		caller = p.name
	}
	return r.WithContext(control.WithCaller(r.Context(), caller)), true
}

// isClean reports whether a path is one that http.ServeMux would not send its
// caller away from, to a path without empty parts and dots. What was meant for
// an execution called ".." would then come to the job above it.
func isClean(escaped string) bool {
	cleaned := path.Clean(escaped)
	return escaped == cleaned || escaped == cleaned+"/"
}

// healthPath answers everybody.
const healthPath = "/healthz"

// mux says who answers which path.
func (s *Server) mux() *http.ServeMux {
	transcoder := rest.New(rest.Config{Rules: v2.Rules(), Flags: v2.Flags(), Intercept: s.intercept})
	v2.Register(transcoder, s.config.Control)
	mux := http.NewServeMux()
	mux.Handle("/", transcoder)
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok") // a client that has gone needs no answer
	})
	if s.config.V1 != nil {
		mux.Handle("/apis/", s.config.V1)
		mux.Handle("/v1/", s.config.V1)
		// What is posted to an operation is that it be waited for.
		mux.Handle("POST /v1/projects/{project}/locations/{location}/operations/{operation}", s.untilClosing(s.config.V1))
		mux.Handle("GET /v1/projects/{project}/locations", transcoder)
		mux.Handle("GET /v1/projects/{project}/locations/{location}", transcoder)
	}
	for pattern, h := range s.config.Handlers {
		mux.Handle(pattern, s.untilClosing(h))
	}
	return mux
}

// untilClosing cancels the context of what h answers when Shutdown begins, and
// gives errStopping as the cause.
func (s *Server) untilClosing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(s.closing, func() { cancel(errStopping()) })()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// refuse answers with err in the form that the caller reads.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if isGRPC(r) {
		refuseGRPC(w, err)
		return
	}
	rest.WriteError(w, err)
}

// recover makes a panic the end of one call.
func (s *Server) recover(a *answer, r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	s.logPanic(r.Method+" "+r.URL.Path, reason)
	if a.code != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	refuse(a, r, errPanic())
}

// errPanic is what a caller is told of a panic.
func errPanic() error { return status.Error(codes.Internal, "internal error: see the log of runnel") }

// logPanic tells the log of a panic in a call.
func (s *Server) logPanic(call string, reason any) {
	s.config.Logger.Error("call panicked", "call", call, "err", fmt.Sprint(reason), "stack", string(debug.Stack()))
}

// log tells of a request that has been answered. The query stays out of it:
// some clients put a token there.
func (s *Server) log(a *answer, r *http.Request, begin time.Time) {
	s.config.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "code", a.code,
		"peer", r.RemoteAddr, "duration", time.Since(begin))
}
