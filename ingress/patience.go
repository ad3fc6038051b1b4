package ingress

import "time"

// SetPatience says how long a request may wait from now on, also one that waits
// already.
func (p *Pool) SetPatience(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.patience = d
	p.arm(p.now())
}

// Reject ends the wait of every request with why: nobody will take them.
func (p *Pool) Reject(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter.advance(p.now())
	for p.queue.first != nil {
		p.fail(p.queue.first, why)
	}
}

// expire ends the wait of those that have waited long enough.
func (p *Pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.meter.advance(now)
	for w := p.queue.first; w != nil && now-w.since >= p.patience; w = p.queue.first {
		p.fail(w, ErrSaturated)
	}
	p.arm(now)
}

// fail ends the wait of w. The caller holds mu and has advanced the meter.
func (p *Pool) fail(w *waiter, why error) {
	p.queue.remove(w)
	p.meter.waiting--
	w.err = why
	close(w.ready)
}

// arm has expire called when the first in the queue has waited long enough.
// All have the same patience, so nobody's ends before that of the first. The
// timer of one that has left the queue meanwhile finds nothing to do and is set
// anew. The caller holds mu.
func (p *Pool) arm(now time.Duration) {
	w := p.queue.first
	if w == nil {
		return
	}
	left := max(0, w.since+p.patience-now)
	if p.expiry == nil {
		p.expiry = time.AfterFunc(left, p.expire)
		return
	}
	p.expiry.Reset(left)
}
