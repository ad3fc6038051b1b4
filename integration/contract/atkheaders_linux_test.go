package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// contract: ATK-22
// What arrives is what the client has sent, in a request of its own, whatever is
// in its target, its fields and its trailers; or nothing does.
func TestATK22RequestsChangeNoneButTheirOwn(t *testing.T) {
	s := plain.open(t)
	const last = "GET /note/OF/last HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
	const post = "POST /note/OF HTTP/1.1\r\nHost: HOST\r\n"
	endless := "?" + strings.Repeat("a&", 20_000) + "a"
	for _, c := range []struct{ text, sees string }{
		{"GET /note/OF?a=%0d%0aX-Evil:%20a HTTP/1.1\r\nHost: HOST\r\n\r\n", `GET /note/OF?a=%0d%0aX-Evil:%20a HOST ""`},
		{"GET /note/OF" + endless + " HTTP/1.1\r\nHost: HOST\r\n\r\n", "GET /note/OF" + endless + ` HOST ""`},
		{"GET /note/OF?a=1;b=%zz&a=2 HTTP/1.1\r\nHost: HOST\r\n\r\n", `GET /note/OF?a=1;b=%zz&a=2 HOST ""`},
		{"GET /note/OF\rX-Evil: a HTTP/1.1\r\nHost: HOST\r\n\r\n", ""},
		{"GET /note/OF?\x00 HTTP/1.1\r\nHost: HOST\r\n\r\n", ""},
		{"GET /note/OF HTTP/1.1\r\nHost: HOST\r\nX: a\rX-Evil: a\r\n\r\n", ""},
		{"GET /note/OF HTTP/1.1\r\nHost: HOST\r\nX: a\r\n X-Evil: a\r\n\r\n", `GET /note/OF HOST ""`}, // a line that goes on
		// Trailers add nothing to the header, nor to the framing.
		{post + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: t\r\n\r\n", `POST /note/OF HOST "a"`},
		{post + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Evil: a\r\n\r\n", `POST /note/OF HOST "a"`},
		{post + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n1\r\na\r\n0\r\nContent-Length: 9\r\n\r\n", ""},
		// An upgrade that the application does not want, or may not be asked for.
		{"GET /note/OF HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", `GET /note/OF HOST ""`},
		{"GET /note/OF HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", `GET /note/OF HOST ""`},
		{post + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 24\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", `POST /note/OF HOST "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"`},
	} {
		of := word()
		own := strings.NewReplacer("OF", of, "HOST", "plain.run.localhost").Replace
		back := s.send(own(c.text + last))
		var want []string
		if c.sees != "" {
			want = []string{own(c.sees), own(`GET /note/OF/last HOST ""`)}
		}
		if seen := s.noted(of); !slices.Equal(seen, want) || strings.Count(back, "HTTP/1.1 ") != max(1, len(want)) {
			t.Errorf("%q: it sees %q, the client %q", rig.Clip(c.text), rig.Clip(fmt.Sprint(seen)), rig.Clip(back))
		}
		record := s.get("/notes?of=" + of).Body
		for _, never := range []string{`"X-Evil"`, `"Upgrade":["h2c"]`, "Http2-Settings"} {
			if strings.Contains(record, never) {
				t.Errorf("%q: the application sees %s:\n%s", rig.Clip(c.text), never, rig.Clip(record))
			}
		}
	}
}

// contract: ATK-22
// HTTP/2 could carry what HTTP/1 has as ends of lines and of words.
func TestATK22FieldsOfHTTP2EndNoLine(t *testing.T) {
	s := plain.open(t)
	c, of := s.frames(), word()
	for i, fields := range [][]string{
		{"x", "a\r\nx-evil: a"}, {"x", "a\nx-evil: a"}, {"x", "a\x00"}, {"x\r\nx-evil", "a"}, {"x: a", "a"}, {"x y", "a"}, {"X-Upper", "a"},
		{":path", "/note/" + of + " HTTP/1.1\r\nX-Evil: a"}, {":path", "/note/" + of + " HTTP/1.1"}, {":method", "GET /note/" + of + " HTTP/1.1\r\nX-Evil: a"},
		{":authority", "plain.run.localhost\r\nX-Evil: a"}, {":authority", "plain.run.localhost/note"}, {"host", "evil\r\nX-Evil: a"},
		{"transfer-encoding", "chunked"}, {"connection", "X-Forwarded-For"}, {"upgrade", "h2c"},
	} {
		id := uint32(2*i + 1)
		c.request(id, "/note/"+of, fields...)
		if status := c.status(id); status == "200" {
			t.Errorf("%q is answered with 200", fields)
		}
	}
	if seen := s.noted(of); len(seen) != 0 {
		t.Errorf("the application sees %q", seen)
	}
	id := uint32(101)
	c.request(id, "/note/"+of, "x", "a")
	if status := c.status(id); status != "200" {
		t.Errorf("the connection is of no use afterwards: %s", status)
	}
}
