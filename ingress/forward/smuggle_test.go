package forward

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/internal/testenv"
)

// record is what an instance writes of a request that it sees.
type record struct {
	mu   sync.Mutex
	seen []string
}

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, line)
}

func (r *record) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.seen
	r.seen = nil
	return all
}

// python is an instance that tells the record, over its standard output.
const python = `
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b""
        if self.headers.get("Transfer-Encoding"):
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(n)
                self.rfile.readline()
                if n == 0: break
        elif self.headers.get("Content-Length"):
            body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.command, self.path, ",".join(self.headers.get_all("Host")), body.decode("latin-1").encode("unicode_escape").decode(), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_PUT = do_GET
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
print(s.server_address[1], flush=True)
s.serve_forever()
`

// newPython starts the instance. The record is complete when an answer is.
func newPython(t *testing.T) (string, *record) {
	t.Helper()
	cmd := exec.Command(testenv.Program(t, "python3"), "-c", python)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("python3 says nothing")
	}
	addr, rec, done := "127.0.0.1:"+lines.Text(), new(record), make(chan struct{})
	go func() {
		defer close(done)
		for lines.Scan() {
			rec.add(strings.TrimSpace(lines.Text()))
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	})
	return addr, rec
}

// newGo is the same with Go's server.
func newGo(t *testing.T) (string, *record) {
	rec := new(record)
	return newInstance(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		rec.add(strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI, r.Host, strings.Trim(fmt.Sprintf("%q", body), `"`))))
	}), rec
}

// newNginx is nginx before newGo: it reads what we have written, and Go what
// nginx has made of that.
func newNginx(t *testing.T) (string, *record) {
	addr, rec := newGo(t)
	return startPeer(t, "nginx", addr).addr, rec
}

const (
	begin = "POST /a HTTP/1.1\r\nHost: x\r\n"
	next  = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)

// smuggled are requests that servers have been known to read in two ways. Each is
// refused, with status 400 and nothing behind it, or seen as it says.
var smuggled = map[string]struct{ request, seen string }{
	"plain":                         {begin + "Content-Length: 5\r\n\r\nhello" + next, "POST /a x hello | GET /last x"},
	"chunks":                        {begin + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + next, "POST /a x hello | GET /last x"},
	"body like a request":           {begin + "Content-Length: 26\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n" + next, `POST /a x GET /b HTTP/1.1\r\nHost: x\r\n | GET /last x`},
	"length before chunks":          {begin + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, "POST /a x | GET /last x"},
	"chunks before length":          {begin + "Transfer-Encoding: chunked\r\nContent-Length: 48\r\n\r\n0\r\n\r\n" + next, "POST /a x | GET /last x"},
	"two lengths":                   {begin + "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello" + next, ""},
	"lengths in a list":             {begin + "Content-Length: 0, 5\r\n\r\nhello" + next, ""},
	"signed length":                 {begin + "Content-Length: +5\r\n\r\nhello" + next, ""},
	"length with a space":           {begin + "Content-Length: 5 5\r\n\r\nhello" + next, ""},
	"space before the colon":        {begin + "Content-Length : 5\r\n\r\nhello" + next, ""},
	"coding after another":          {begin + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + next, ""},
	"two codings":                   {begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + next, ""},
	"coding twice":                  {begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, ""},
	"coding that is none":           {begin + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello" + next, ""},
	"coding behind a tabulator":     {begin + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + next, ""},
	"coding on the next line":       {begin + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + next, "POST /a x | GET /last x"},
	"coding in an old request":      {"POST /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + next, `POST /a x 0\r\n\r\n | GET /last x`},
	"line that goes on":             {begin + "X: a\r\n Content-Length: 5\r\n\r\n" + next, "POST /a x | GET /last x"},
	"first line that goes on":       {"POST /a HTTP/1.1\r\n Host: y\r\nHost: x\r\n\r\n" + next, ""},
	"size that ends with LF":        {begin + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" + next, ""},
	"extension that ends with LF":   {begin + "Transfer-Encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n" + next, ""},
	"carriage return in extension":  {begin + "Transfer-Encoding: chunked\r\n\r\n5;\rxx\r\nhello\r\n0\r\n\r\n" + next, ""},
	"chunk that ends with LF":       {begin + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n" + next, ""},
	"chunk that ends otherwise":     {begin + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n" + next, ""},
	"enormous chunk":                {begin + "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n" + next, ""},
	"prefixed size":                 {begin + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n" + next, ""},
	"two hosts":                     {"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + next, ""},
	"no host":                       {"GET /a HTTP/1.1\r\n\r\n" + next, ""},
	"host with a space":             {"GET /a HTTP/1.1\r\nHost: x y\r\n\r\n" + next, ""},
	"host in the target":            {"GET http://x/a HTTP/1.1\r\nHost: y\r\n\r\n" + next, "GET /a x | GET /last x"},
	"space in the target":           {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" + next, ""},
	"zero in a value":               {"GET /a HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n" + next, ""},
	"carriage return in a value":    {"GET /a HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 5\r\n\r\n" + next, ""},
	"not ASCII in a name":           {"GET /a HTTP/1.1\r\nHost: x\r\nX\x80: a\r\n\r\n" + next, ""},
	"another version":               {"GET /a HTTP/3.7\r\nHost: x\r\n\r\n" + next, ""},
	"length in Connection":          {begin + "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello" + next, "POST /a x hello | GET /last x"},
	"get with a body":               {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + next, "GET /a x hello | GET /last x"},
	"lines that end with LF":        {"GET /a HTTP/1.1\nHost: x\n\n" + next, "GET /a x | GET /last x"},
	"underscore":                    {begin + "Content_Length: 0\r\nContent-Length: 5\r\n\r\nhello" + next, "POST /a x hello | GET /last x"},
	"trailer that would be a field": {begin + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n" + next, "POST /a x hello | GET /last x"},
}

// contract: ATK-21
func TestEachRequestIsSeenOnceOrRefused(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) (string, *record){"go": newGo, "python": newPython, "nginx": newNginx} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, rec := start(t)
			f := newFront(t, addr, false, nil)
			for name, c := range smuggled {
				answer := raw(t, f, c.request)
				var all []string
				for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
					all = append(all, rec.take()...)
					if len(all) >= strings.Count(answer, " 200 OK\r\n") || time.Now().After(deadline) {
						break
					}
				}
				seen := strings.Join(all, " | ")
				refused := strings.Contains(answer, "HTTP/1.1 4") || strings.Contains(answer, "HTTP/1.1 5")
				if refused && (seen == "" || c.seen != "" && strings.HasPrefix(c.seen, seen)) || !refused && c.seen != "" && seen == c.seen {
					continue
				}
				t.Errorf("%s: the instance has seen %q, want %q; the client %q", name, seen, c.seen, answer)
			}
		})
	}
}
