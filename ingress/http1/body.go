package http1

import (
	"bytes"
	"io"
)

// Body takes the body of a message out of a Reader.
type Body struct {
	r    *Reader
	mode mode
	// left is what is to come, of the body or of a chunk.
	left    int64
	trailer []Field
}

// mode is what comes next.
type mode uint8

const (
	ended mode = iota
	lengthData
	streamData
	chunkSize
	chunkData
	chunkEnd
)

// Length has the body be the next n bytes.
func (b *Body) Length(r *Reader, n int64) {
	*b = Body{r: r, mode: lengthData, left: n}
	if n == 0 {
		b.mode = ended
	}
}

// Chunks has the body be the next chunks.
func (b *Body) Chunks(r *Reader) { *b = Body{r: r, mode: chunkSize} }

// Rest has the body be all that comes.
func (b *Body) Rest(r *Reader) { *b = Body{r: r, mode: streamData} }

// Left is how much is to come of a body whose length is known.
func (b *Body) Left() int64 {
	if b.mode == lengthData {
		return b.left
	}
	return 0
}

// Taken says that n bytes of a body with a length have been read past the
// reader, which has nothing buffered.
func (b *Body) Taken(n int64) {
	if b.left -= n; b.left == 0 {
		b.mode = ended
	}
}

// Ended reports whether all of the body has been taken.
func (b *Body) Ended() bool { return b.mode == ended }

// Trailer is the fields after the last chunk, once Next has returned io.EOF.
func (b *Body) Trailer() []Field { return b.trailer }

// Next takes a piece of the body, valid until the next call. Errors: io.EOF at
// its end, ErrSyntax, ErrLong, io.ErrUnexpectedEOF, and those of the connection.
func (b *Body) Next() ([]byte, error) {
	for {
		var err error
		switch b.mode {
		case ended:
			return nil, io.EOF
		case streamData:
			return b.stream()
		case lengthData, chunkData:
			return b.data()
		case chunkSize:
			err = b.size()
		case chunkEnd:
			err = b.crlf()
		}
		if err != nil {
			return nil, err
		}
	}
}

// stream takes what is there, until the connection ends.
func (b *Body) stream() ([]byte, error) {
	if len(b.r.Buffered()) == 0 {
		if err := b.r.Fill(); err != nil {
			if err == io.EOF {
				b.mode = ended
			}
			return nil, err
		}
	}
	p := b.r.Buffered()
	b.r.Discard(len(p))
	return p, nil
}

// data takes what is there of a known number of bytes.
func (b *Body) data() ([]byte, error) {
	if err := b.need(1); err != nil {
		return nil, err
	}
	p := b.r.Buffered()
	p = p[:min(int64(len(p)), b.left)]
	b.r.Discard(len(p))
	if b.left -= int64(len(p)); b.left > 0 {
		return p, nil
	}
	if b.mode == lengthData {
		b.mode = ended
		return p, nil
	}
	b.mode = chunkEnd
	return b.gather(p), nil
}

// gather moves what is there of the next chunks behind p, which lies before them
// in the buffer: one large piece costs less to pass on than many small ones.
// What is not as it should be is left to be found later.
func (b *Body) gather(p []byte) []byte {
	for b.mode == chunkEnd {
		have, ok := bytes.CutPrefix(b.r.Buffered(), []byte("\r\n"))
		end := bytes.IndexByte(have[:min(len(have), maxSizeLine)], '\n') + 1
		if !ok || end == 0 {
			break
		}
		n, err := parseSize(have[:end])
		data := have[end:]
		data = data[:min(int64(len(data)), n)]
		if err != nil || len(data) == 0 {
			break
		}
		p = append(p, data...)
		b.r.Discard(len("\r\n") + end + len(data))
		if b.left = n - int64(len(data)); b.left > 0 {
			b.mode = chunkData
		}
	}
	return p
}

// need reads until n bytes are buffered.
func (b *Body) need(n int) error {
	for len(b.r.Buffered()) < n {
		if err := b.r.Fill(); err != nil {
			return cut(err, true)
		}
	}
	return nil
}

// crlf takes the end of a chunk.
func (b *Body) crlf() error {
	if err := b.need(2); err != nil {
		return err
	}
	if p := b.r.Buffered(); p[0] != '\r' || p[1] != '\n' {
		return ErrSyntax
	}
	b.r.Discard(2)
	b.mode = chunkSize
	return nil
}

// size takes the line before a chunk, and the trailers if it is the last one.
func (b *Body) size() error {
	line, err := b.line()
	if err != nil {
		return err
	}
	if b.left, err = parseSize(line); err != nil {
		return err
	}
	b.r.Discard(len(line))
	b.mode = chunkData
	if b.left > 0 {
		return nil
	}
	return b.trailers()
}

// line is the next line, with its end; it is not taken.
func (b *Body) line() ([]byte, error) {
	for {
		have := b.r.Buffered()
		if i := bytes.IndexByte(have[:min(len(have), maxSizeLine)], '\n'); i >= 0 {
			return have[:i+1], nil
		}
		if len(have) >= maxSizeLine {
			return nil, ErrSyntax
		}
		if err := b.r.Fill(); err != nil {
			return nil, cut(err, true)
		}
	}
}

// parseSize reads a chunk's size. Its extensions, which nobody uses, are
// dropped.
func parseSize(line []byte) (n int64, err error) {
	digits := 0
	for ; digits < len(line); digits++ {
		d, ok := hex(line[digits])
		if !ok {
			break
		}
		if digits == maxSizeDigits {
			return 0, ErrSyntax
		}
		n = n<<4 | int64(d)
	}
	ext, ok := bytes.CutSuffix(line[digits:], []byte("\r\n"))
	if digits == 0 || !ok {
		return 0, ErrSyntax
	}
	ext = bytes.TrimLeft(ext, " \t")
	if len(ext) > 0 && ext[0] != ';' {
		return 0, ErrSyntax
	}
	for _, c := range ext {
		if chars[c]&inValue == 0 {
			return 0, ErrSyntax
		}
	}
	return n, nil
}

func hex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// trailers takes what follows the last chunk.
func (b *Body) trailers() error {
	if err := b.need(2); err != nil {
		return err
	}
	b.mode = ended
	if p := b.r.Buffered(); p[0] == '\r' && p[1] == '\n' {
		b.r.Discard(2)
		return nil
	}
	head, err := b.r.Head()
	if err == nil {
		b.trailer, err = Fields(nil, string(head), false)
	}
	return cut(err, true)
}
