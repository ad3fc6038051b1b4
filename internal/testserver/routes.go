package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc/health"
)

// server is what the program remembers.
type server struct {
	health *health.Server
	// says is what /health answers with, asked how often it was asked.
	says, asked atomic.Int64
	// now and most are how many requests it has, and has had at a time.
	now, most atomic.Int64
	// turns is what SPIN has counted; seen how many requests have come.
	turns, seen atomic.Int64

	mu    sync.Mutex
	held  [][]byte    // guarded by mu
	notes []string    // guarded by mu
	kept  []io.Closer // guarded by mu
}

// routes are the paths that it knows. Anything else is answered like /.
func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		"/":             s.hello,
		"/env":          s.env,
		"/request":      s.request,
		"/sleep":        s.sleep,
		"/echo":         s.echo,
		"/bytes":        s.bytes,
		"/events":       s.events,
		"/status":       s.status,
		"/cookie":       s.cookie,
		"/memory":       s.memory,
		"/write":        s.write,
		"/exit":         s.exit,
		"/break":        s.broken,
		"/count":        s.counted,
		"/most":         s.mostAtOnce,
		"/now":          s.nowAtOnce,
		"/health":       s.healthy,
		"/health/set":   s.setHealth,
		"/health/asked": s.askedHealth,
		"/busy":         s.busy,
		"/log":          s.log,
		"/ws":           s.socket,
		"/fetch":        s.fetch,
		"/identity":     s.identity,
		"/self":         s.self,
		"/read":         s.read,
		"/length":       s.length,
		"/note/":        s.note,
		"/notes":        s.noted,
		"/dial":         s.dial,
		"/hold":         s.hold,
	} {
		mux.HandleFunc(path, h)
	}
	return mux
}

// count counts a request, and the call of what it returns its end.
func (s *server) count() (end func()) {
	s.seen.Add(1)
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	return func() { s.now.Add(-1) }
}

func (s *server) hello(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, "%s %s\n", os.Getenv("K_SERVICE"), os.Getenv("K_REVISION"))
}

func (s *server) env(w http.ResponseWriter, _ *http.Request) {
	env := map[string]string{}
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	answer(w, env)
}

// request tells what it sees of the request.
func (s *server) request(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	seen := map[string]any{
		"method": r.Method, "uri": r.RequestURI, "host": r.Host, "protocol": r.Proto,
		"headers": r.Header, "body": string(body), "trailers": r.Trailer, "remote": r.RemoteAddr,
	}
	if err != nil {
		seen["error"] = err.Error()
	}
	answer(w, seen)
}

// sleep answers after a time, or says that the client has gone. What it prints
// ends with a word of the query's.
func (s *server) sleep(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Println("sleeps", r.FormValue("say"))
	select {
	case <-time.After(d):
	case <-r.Context().Done():
		fmt.Println("the client has gone", r.FormValue("say"))
		if r.FormValue("stubborn") == "" {
			return
		}
		<-time.After(d)
	}
	fmt.Println("slept", r.FormValue("say"))
	fmt.Fprintln(w, "slept")
}

// echo sends back what comes, as it comes, and says which process it is.
func (s *server) echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Process", boot)
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 always is
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			_ = control.Flush() // who has gone needs nothing
		}
		if err != nil {
			return
		}
	}
}

// length tells how long the request's body is.
func (s *server) length(w http.ResponseWriter, r *http.Request) {
	if n, err := io.Copy(io.Discard, r.Body); err == nil {
		fmt.Fprintln(w, n)
	}
}

// bytes sends n bytes, with a length or, where chunked is set, without.
func (s *server) bytes(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.ParseInt(r.FormValue("n"), 10, 64)
	if r.FormValue("chunked") == "" {
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.CopyN(w, zeros{}, n) // as above
}

// zeros is an endless source of bytes.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// events sends n events, one each time every has passed.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	every, _ := time.ParseDuration(r.FormValue("every"))
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range n {
		fmt.Fprintf(w, "data: %d\n\n", i)
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-time.After(every):
		case <-r.Context().Done():
			return
		}
	}
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.FormValue("code"))
	w.WriteHeader(max(code, 200))
}

func (s *server) cookie(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
}

func (s *server) counted(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, s.turns.Load())
}

func (s *server) mostAtOnce(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, s.most.Load(), s.seen.Load())
}

// nowAtOnce tells how many requests there are, this one too.
func (s *server) nowAtOnce(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, s.now.Load())
}

func (s *server) log(_ http.ResponseWriter, r *http.Request) {
	fmt.Println(r.FormValue("text"))
}

// socket sends back messages over a WebSocket.
func (s *server) socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }() // it may be closed
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

func answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(what) // as above
}
