package source

import (
	"fmt"
	"io"
	"time"

	"runnel/cmd/runnel/stages"
)

// noteInterval is how often it is told how much has been sent.
const noteInterval = 200 * time.Millisecond

// noted is a body that tells how far it has been read.
type noted struct {
	r       *io.PipeReader
	tracker *stages.Tracker
	n       int64
	told    time.Time
}

// Read implements io.Reader.
func (b *noted) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if now := time.Now(); now.Sub(b.told) >= noteInterval {
		b.told = now
		b.tracker.Note(size(b.n))
	}
	return n, err
}

// Close ends whoever writes the body: the daemon takes no more of it.
func (b *noted) Close() error { return b.r.CloseWithError(errRefused) }

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1 << 20
	if n < unit {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/unit)
}
