package forward

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"runnel/ingress/http1"
)

// readAnswer reads an answer as an exchange does.
func readAnswer(data []byte, buffer int) (p response, body []byte, err error) {
	var in http1.Reader
	in.Reset(bytes.NewReader(data), make([]byte, buffer))
	head, err := in.Head()
	if err != nil {
		return p, nil, err
	}
	if err := p.parse(string(head)); err != nil {
		return p, nil, err
	}
	switch {
	case !p.hasBody(http.MethodGet):
		return p, nil, nil
	case p.framing.Chunked:
		p.body.Chunks(&in)
	case p.framing.Length >= 0:
		p.body.Length(&in, p.framing.Length)
	default:
		p.body.Rest(&in)
	}
	for {
		piece, err := p.body.Next()
		body = append(body, piece...)
		if err == io.EOF {
			return p, body, nil
		}
		if err != nil {
			return p, body, err
		}
	}
}

// FuzzAnswer looks for answers that are taken and that another reader would
// understand differently, and for those that depend on how they are cut.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.0 200\nSet-Cookie: a=b\n\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nConnection: close, x\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length : 1\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, body, err := readAnswer(data, smallBuffer)
		p2, body2, err2 := readAnswer(data, maxLine)
		if (err == nil) != (err2 == nil) || err == nil && (p.status != p2.status || !bytes.Equal(body, body2)) {
			t.Fatalf("with two buffers: %v and %v, %q and %q", err, err2, body, body2)
		}
		if err != nil {
			return
		}
		in, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), &http.Request{Method: http.MethodGet})
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		other, err := io.ReadAll(in.Body)
		if err != nil || in.StatusCode != p.status || !bytes.Equal(body, other) {
			t.Fatalf("net/http reads %d %q, %v; we %d %q", in.StatusCode, other, err, p.status, body)
		}
	})
}

// maxLine is a small buffer that holds the longest line of a chunk.
const maxLine = 300
