package logfile

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// stream cuts what an instance prints on one of its streams into entries.
type stream struct {
	w    *Writer
	name string
	rest []byte // of the last line, which lacks its newline; MaxText at most
}

// Write takes all of p and never fails. When it has made more entries than the
// instance may, it returns late, which holds up whoever prints them.
func (s *stream) Write(p []byte) (int, error) {
	s.w.wait(s.take(p))
	return len(p), nil
}

// take writes p and says how long to wait for it.
func (s *stream) take(p []byte) time.Duration {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.closed {
		s.w.dropped.Entries++
		s.w.dropped.Bytes += int64(len(p))
		return 0
	}
	var buf [maxHeader]byte
	stamp := appendStamp(buf[:0], time.Now())
	for len(p) > 0 {
		line, after, whole := bytes.Cut(p, []byte{'\n'})
		line = s.parts(stamp, line)
		if whole {
			s.entry(stamp, line, false)
		} else {
			s.rest = append(s.rest, line...)
		}
		p = after
	}
	s.w.flush()
	return s.w.pace.charge(time.Now())
}

// parts writes as much of the rest and line together as is too long for one
// entry, in parts, and returns what remains of line.
func (s *stream) parts(stamp, line []byte) []byte {
	for len(s.rest)+len(line) > MaxText {
		n := MaxText - len(s.rest)
		s.entry(stamp, line[:n], true)
		line = line[n:]
	}
	return line
}

// entry adds the rest and text together to the batch as one entry. A part does
// not end within a character: its first bytes become the new rest.
func (s *stream) entry(stamp, text []byte, partial bool) {
	w := s.w
	if len(w.batch)+maxHeader+len(s.rest)+len(text) > w.maxBatch() {
		w.flush()
	}
	w.batch = appendHeader(w.batch, stamp, s.name, partial)
	w.batch = append(w.batch, s.rest...)
	w.batch = append(w.batch, text...)
	if cap(s.rest) > idleBatch {
		s.rest = nil
	}
	s.rest = s.rest[:0]
	if partial {
		n := unfinished(w.batch)
		s.rest = append(s.rest, w.batch[len(w.batch)-n:]...)
		w.batch = w.batch[:len(w.batch)-n]
	}
	w.batch = append(w.batch, '\n')
	w.pace.entries++
}

// maxBatch leaves room in a file for its mark and a note.
func (w *Writer) maxBatch() int { return int(min(maxBatch, w.limit/2)) }

// unfinished is the number of bytes at the end of b that begin a character
// without ending it.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		c := b[len(b)-n]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
