package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// recorder is a server that keeps a record of the requests it has seen, each
// with its body, and tells it at /seen.
const recorder = `
import http.server, os
seen = []
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body, coding = b"", self.headers.get("Transfer-Encoding")
        while coding:
            n = int(self.rfile.readline().split(b";")[0], 16)
            body += self.rfile.read(n)
            self.rfile.readline()
            if n == 0: break
        if not coding: body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/seen":
            seen.append(" ".join([self.command, self.path, ",".join(self.headers.get_all("Host")), repr(body)[2:-1]]))
        answer = "".join(s + "\n" for s in seen).encode() if self.path == "/seen" else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    do_POST = do_PUT = do_GET
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), H).serve_forever()
`

// attack is what a client sends, in one go, that servers have been known to read
// in two ways. HOST is the service's. It is refused, with 400 or for its coding
// with 501 and nothing behind it, unless seen says as what it passes.
type attack struct{ name, text, seen string }

const (
	post = "POST /a HTTP/1.1\r\nHost: HOST\r\n"
	get  = "GET /a HTTP/1.1\r\nHost: HOST\r\n"
	// tail is a request of its own, which nothing before it may swallow or split.
	tail = "GET /last HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
)

func attacks() []attack {
	const ours = "POST /a HOST hello|GET /last HOST "
	return []attack{
		{"a length", post + "Content-Length: 5\r\n\r\nhello", ours},
		{"chunks", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ours},
		{"a request in a body", post + "Content-Length: 36\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n\r\n", `POST /a HOST GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n\r\n|GET /last HOST `},
		{"a request in a chunk", post + "Transfer-Encoding: chunked\r\n\r\n24\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n\r\n\r\n0\r\n\r\n", `POST /a HOST GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n\r\n|GET /last HOST `},
		{"a length, and chunks", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ours},
		{"chunks, and a length", post + "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ours},
		{"two lengths", post + "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", ""},
		{"the same length twice", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ours},
		{"a list of lengths", post + "Content-Length: 5, 0\r\n\r\nhello", ""},
		{"a negative length", post + "Content-Length: -5\r\n\r\nhello", ""},
		{"a signed length", post + "Content-Length: +5\r\n\r\nhello", ""},
		{"a length in hex", post + "Content-Length: 0x5\r\n\r\nhello", ""},
		{"a length beyond 63 bits", post + "Content-Length: 18446744073709551621\r\n\r\nhello", ""},
		{"an empty length", post + "Content-Length: \r\n\r\n", ""},
		{"a space before the colon", post + "Content-Length : 5\r\n\r\nhello", ""},
		{"a coding that is none", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ""},
		{"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", ""},
		{"a list of codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ""},
		{"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", ""},
		{"a coding in quotes", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", ""},
		{"a coding after a vertical tab", post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", ""},
		{"a coding behind a space", post + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
		{"a coding and a bare LF", "POST /a HTTP/1.1\r\nHost: HOST\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ours},
		{"a coding and a bare CR", post + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
		{"lines that end with LF", "POST /a HTTP/1.1\nHost: HOST\nContent-Length: 5\n\nhello", ours},
		{"a line that goes on", post + "X: y\r\n Content-Length: 5\r\n\r\n", "POST /a HOST |GET /last HOST "},
		{"a chunk of negative size", post + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", ""},
		{"a chunk of a size beyond 64 bits", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", ""},
		{"a chunk of a prefixed size", post + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", ""},
		{"a chunk size that ends with LF", post + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", ""},
		{"a chunk that ends with LF", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", ""},
		{"a chunk longer than it says", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n", ""},
		{"an extension", post + "Transfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n", ours},
		{"an extension with LF", post + "Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", ""},
		{"an extension with CR", post + "Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", ""},
		{"a trailer", post + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 70\r\n\r\n", ""},
		{"a trailer of no meaning", post + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n", ours},
		{"two hosts", get + "Host: evil\r\n\r\n", ""},
		{"the same host twice", get + "Host: HOST\r\n\r\n", ""},
		{"no host", "GET /a HTTP/1.1\r\n\r\n", ""},
		{"a host that goes on", "GET /a HTTP/1.1\r\nHost: HOST\r\n .evil\r\n\r\n", ""},
		{"another host in the target", "GET http://HOST/a HTTP/1.1\r\nHost: evil\r\n\r\n", "GET /a HOST |GET /last HOST "},
		{"a space in the target", "GET /a b HTTP/1.1\r\nHost: HOST\r\n\r\n", ""},
		{"a space in a name", get + "X Y: z\r\n\r\n", ""},
		{"a zero in a value", get + "X: \x00\r\n\r\n", ""},
		{"no version", "GET /a\r\nHost: HOST\r\n\r\n", ""},
		{"a version that is none", "GET /a HTTP/1.1x\r\nHost: HOST\r\n\r\n", ""},
		{"a body of a request without", get + "Content-Length: 5\r\n\r\nhello", "GET /a HOST hello|GET /last HOST "},
		{"a length that Connection names", post + "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello", ours},
		{"a name with an underscore", post + "Content_Length: 0\r\nContent-Length: 5\r\n\r\nhello", ours},
	}
}

// at makes the attack on a host, with paths of its own: those that end with n.
func (a attack) at(host string, n int) attack {
	own := strings.NewReplacer("HOST", host, "/a ", fmt.Sprintf("/a%d ", n), "/last ", fmt.Sprintf("/last%d ", n))
	return attack{a.name, own.Replace(a.text + tail), own.Replace(a.seen)}
}

// contract: NET-7, ATK-21
// Through the whole of it, to servers that people use: each request is refused,
// or seen once and as it was meant.
func TestSmuggledRequests(t *testing.T) {
	rig.HostOnly(t, "Debian's packages")
	h := openHost(t)
	d := h.ServeRequests()
	// nginx tells no bodies, but reads them, as it has to pass them on.
	nginx := nginxScript(`access_log /tmp/seen seen; location = /seen { access_log off; default_type text/plain; alias /tmp/seen; }
		location / { proxy_pass http://127.0.0.1:$PORT/ok/; } location /ok/ { access_log off; return 200; }`)
	for name, command := range map[string][]string{
		"python": {"--args", "^\x01^" + recorder},
		"nginx":  {"--command", "sh", "--args", "^\x01^-c\x01" + nginx},
	} {
		args := []string{"deploy", name, "--image", debian(h), "--allow-unauthenticated", "--memory", "256Mi", "--max-instances", "1"}
		d.CLI(append(args, command...)...).Exits(0)
		var sent []attack
		var answers []string
		for i, a := range attacks() {
			sent = append(sent, a.at(name+".run.localhost", i))
			answers = append(answers, sendRaw(d, sent[i].text))
		}
		passed := strings.Count(strings.Join(answers, ""), " 200 OK\r\n")
		seen := map[string]string{} // by number
		d.Eventually("the record is complete", func() bool {
			clear(seen)
			record := d.Get(name, "/seen").Is(h, 200).Body
			for line := range strings.Lines(record) {
				number := regexp.MustCompile(`^[A-Z]+ /(?:a|last)(\d+) `).FindStringSubmatch(line)
				if number == nil {
					t.Fatalf("%s has seen %q", name, line)
				}
				seen[number[1]] += strings.TrimSuffix(line, "\n") + "|"
			}
			return strings.Count(record, "\n") >= passed
		})
		for i, a := range sent {
			checkSeen(t, name, a, strings.TrimSuffix(seen[strconv.Itoa(i)], "|"), answers[i])
		}
	}
}

// checkSeen compares what a server has seen of an attack, and what came back.
func checkSeen(t *testing.T, server string, a attack, seen, back string) {
	t.Helper()
	want := a.seen
	if server == "nginx" {
		want = regexp.MustCompile(`(/\S+ \S+) [^|]*`).ReplaceAllString(want, "$1")
		if a.seen == "" && regexp.MustCompile(`^POST /a\d+ \S+$`).MatchString(seen) {
			seen = "" // it notes what has begun, though its body broke off
		}
	}
	refused := strings.HasPrefix(back, "HTTP/1.1 400 ") || strings.HasPrefix(back, "HTTP/1.1 501 ")
	if seen != want || refused != (want == "") || refused && strings.Count(back, "HTTP/1.1 ") != 1 {
		t.Errorf("%s, %s: it has seen %q, want %q; the client %q", server, a.name, seen, want, back)
	}
}
