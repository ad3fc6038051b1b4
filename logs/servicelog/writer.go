package servicelog

import (
	"sync"

	"runnel/ingress"
	"runnel/scheduler/serving"
)

const (
	// maxPending bounds what waits to be written, in bytes; halfPending is what
	// is not left to wait any longer.
	maxPending  = 8 << 20
	halfPending = maxPending / 2
	// maxLines bounds the events among it.
	maxLines = 10_000
)

// Writer keeps the logs of services and worker pools. Record and Tell are for any goroutine;
// nothing is written before Run.
type Writer struct {
	// wake has room for one: there is something to write; full for one: soon.
	wake, full chan struct{}

	mu      sync.Mutex
	pending pending // guarded by mu

	files files
}

// pending is what waits to be written.
type pending struct {
	entries []ingress.Entry
	lines   []serving.Line
	// bytes is about what the entries hold.
	bytes int
	// lost counts the entries and lines of each service and worker pool that did
	// not fit.
	lost map[string]int
}

// New returns a writer of logs in dir, the launcher's log directory, each of
// whose two files is limited to limit bytes.
func New(dir string, limit int64) *Writer {
	return &Writer{
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		files: files{dir: dir, limit: limit, open: make(map[string]*file)},
	}
}

// Record notes a request, as ingress.Config has it. It keeps nothing of e but
// its texts. A request of no service is noted nowhere.
func (w *Writer) Record(e *ingress.Entry) {
	if e.Service == "" {
		return
	}
	w.mu.Lock()
	p := &w.pending
	first, size := p.idle(), sizeOf(e)
	if p.bytes+size > maxPending {
		p.lose(e.Service)
		w.mu.Unlock()
		return
	}
	p.entries = append(p.entries, *e)
	half := p.bytes < halfPending && p.bytes+size >= halfPending
	p.bytes += size
	w.mu.Unlock()
	w.ring(first, half)
}

// Tell notes what there is to say about an instance, as serving.Config has it.
func (w *Writer) Tell(l serving.Line) {
	w.mu.Lock()
	p := &w.pending
	first := p.idle()
	if len(p.lines) == maxLines {
		p.lose(ownerOf(l.Revision))
	} else {
		p.lines = append(p.lines, l)
	}
	w.mu.Unlock()
	w.ring(first, false)
}

// idle reports whether nothing waits.
func (p *pending) idle() bool { return len(p.entries)+len(p.lines) == 0 }

// lose counts what did not fit.
func (p *pending) lose(service string) {
	if p.lost == nil {
		p.lost = make(map[string]int)
	}
	p.lost[service]++
}

// ring has the loop write: what came first is written with what comes soon
// behind it.
func (w *Writer) ring(first, half bool) {
	if first {
		signal(w.wake)
	}
	if half {
		signal(w.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has not been taken yet
	}
}

// take takes all that waits, and leaves the buffers of what was taken before in
// its place.
func (w *Writer) take(empty pending) pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.pending
	w.pending = empty
	return taken
}
