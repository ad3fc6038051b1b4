package forward

import "sync"

const (
	// smallBuffer holds the head of most answers, and most bodies.
	smallBuffer = 8 << 10
	// largeBuffer is for what is left of a body of which longBody has passed: it
	// saves system calls.
	largeBuffer = 256 << 10
	longBody    = 64 << 10
)

// buffers are what bodies are carried in, to be used again. Safe for concurrent
// use.
type buffers struct{ small, large sync.Pool }

// get returns a buffer for a body of n bytes, if n is not negative.
func (b *buffers) get(n int64) []byte {
	if n >= longBody {
		if p, ok := b.large.Get().(*[largeBuffer]byte); ok {
			return p[:]
		}
		return make([]byte, largeBuffer)
	}
	if p, ok := b.small.Get().(*[smallBuffer]byte); ok {
		return p[:]
	}
	return make([]byte, smallBuffer)
}

// fit returns a buffer in place of buf, whose content is of no use, for the rest
// of a body of which passed bytes have been carried.
func (b *buffers) fit(buf []byte, passed int64) []byte {
	if passed < longBody || len(buf) == largeBuffer {
		return buf
	}
	b.put(buf)
	return b.get(passed)
}

// put takes a buffer back.
func (b *buffers) put(buf []byte) {
	switch len(buf) {
	case smallBuffer:
		b.small.Put((*[smallBuffer]byte)(buf))
	case largeBuffer:
		b.large.Put((*[largeBuffer]byte)(buf))
	}
}
