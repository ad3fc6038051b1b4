package ingress

import (
	"time"

	"runnel/ingress/forward"
)

// idleDelay is how long an instance must have had no request before it is told:
// long enough that one under load is not told between two of them.
const idleDelay = 50 * time.Millisecond

// member is a backend in its pool.
type member struct {
	pool    *Pool
	backend Backend
	hop     *forward.Hop
	// key is what affinity cookies call it.
	key string

	// The pool's lock guards these.

	// active requests, and their leases.
	active int
	leases *Lease
	// place is where it stands in turn; -1 if it does not.
	place int
	// idleSince is when active became 0.
	idleSince time.Duration
	// ready: it may have requests. shunned: it has refused a connection just
	// now. draining: it is not to have more. gone: it has left the pool.
	ready, shunned, draining, gone bool
	// drained is closed when it drains and has no request; nil until somebody
	// waits for that.
	drained chan struct{}
	// awake: Busy has returned, and Idle was not called since. resting: doze is
	// going to look whether it may sleep.
	awake, resting bool
	rester, shun   *time.Timer

	// hooks holds an element while Busy or Idle is called. Who takes this lock and
	// the pool's takes this one first.
	hooks chan struct{}
}

// room reports whether m may have another request.
func (m *member) room() bool {
	return m.ready && !m.shunned && !m.draining && !m.gone && m.active < m.backend.Concurrency
}

// hooked reports whether anybody wants to know when m is busy.
func (m *member) hooked() bool { return m.backend.Busy != nil || m.backend.Idle != nil }

func (m *member) link(l *Lease) {
	if l.next = m.leases; l.next != nil {
		l.next.prev = l
	}
	m.leases = l
}

func (m *member) unlink(l *Lease) {
	if l.next != nil {
		l.next.prev = l.prev
	}
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		m.leases = l.next
	}
	l.next, l.prev = nil, nil
}

// rouse wakes m if it sleeps.
func (m *member) rouse() {
	m.pool.mu.Lock()
	awake := m.awake
	m.pool.mu.Unlock()
	if !awake {
		m.wake()
	}
}

// wake returns when m can work. The caller has a lease of it, so that it does
// not fall asleep again.
func (m *member) wake() {
	m.hooks <- struct{}{}
	defer func() { <-m.hooks }()
	m.pool.mu.Lock()
	awake := m.awake
	m.pool.mu.Unlock()
	if awake {
		return
	}
	if m.backend.Busy != nil {
		m.backend.Busy()
	}
	m.pool.mu.Lock()
	m.awake = true
	m.pool.mu.Unlock()
}

// rest does what is due when m has no request, and reports whether its
// connections are to be closed. The caller holds the pool's lock.
func (m *member) rest() (over bool) {
	if m.draining || m.gone {
		if m.drained != nil {
			close(m.drained)
			m.drained = nil
		}
		return m.gone
	}
	if !m.hooked() || !m.awake || m.resting {
		return false
	}
	m.resting = true
	if m.rester == nil {
		m.rester = time.AfterFunc(idleDelay, m.doze)
	} else {
		m.rester.Reset(idleDelay)
	}
	return false
}

// doze puts m to sleep if it has had no request for long enough, and looks again
// later if not yet.
func (m *member) doze() {
	m.hooks <- struct{}{}
	defer func() { <-m.hooks }()
	if m.dozes() && m.backend.Idle != nil {
		m.backend.Idle()
	}
}

// dozes decides whether m is to sleep now.
func (m *member) dozes() bool {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.resting = false
	if m.active > 0 || !m.awake || m.draining || m.gone {
		return false
	}
	if left := m.idleSince + idleDelay - m.pool.now(); left > 0 {
		m.resting = true
		m.rester.Reset(left)
		return false
	}
	m.awake = false
	return true
}

// settled returns when no hook of m is under way.
func (m *member) settled() {
	m.hooks <- struct{}{}
	defer func() { <-m.hooks }()
}

// close ends what connections there are.
func (m *member) close() { _ = m.hop.Close() /* nobody waits for these connections any more */ }
