package ingress

import "sync"

// inflight counts requests. The zero value has none.
type inflight struct {
	mu   sync.Mutex
	n    int
	over chan struct{}
}

func (f *inflight) begin() {
	f.mu.Lock()
	f.n++
	f.mu.Unlock()
}

func (f *inflight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n--; f.n == 0 && f.over != nil {
		close(f.over)
		f.over = nil
	}
}

// none is closed when there is no request.
func (f *inflight) none() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	over := f.over
	switch {
	case f.n == 0:
		over = make(chan struct{})
		close(over)
	case over == nil:
		over = make(chan struct{})
		f.over = over
	}
	return over
}
