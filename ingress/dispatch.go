package ingress

import (
	"context"
	"errors"
	"time"

	"runnel/contract"
	"runnel/ingress/forward"
)

const (
	// maxTries is how many instances a request may be tried on, as long as none
	// got a byte of it.
	maxTries = 4
	// verdictTime is how long one waits to be told why an instance has broken a
	// connection, deadTime where it takes no other one either: it has ended, and
	// why that is can take a busy host its time to find out.
	verdictTime = 500 * time.Millisecond
	deadTime    = 10 * time.Second
	// cutTimeout is how long the end of an answer that is cut off may take.
	cutTimeout = time.Second
)

// dispatch has the request answered by an instance of a revision. One that got
// no byte to an instance is tried on another.
func (x *exchange) dispatch() error {
	cookie := ""
	if x.entry.affine {
		cookie = cookieOf(x.r)
	}
	for try := 1; ; try++ {
		target, prefer := x.entry.holds(cookie)
		if target == nil {
			if target = x.entry.pick(); target == nil {
				return errNotReady
			}
		}
		x.target = target
		lease, err := x.acquire(prefer)
		again := false
		if err != nil {
			again = x.moved(err)
		} else {
			err = x.forward(lease, prefer == "")
			again = err != nil && !x.result.Sent && !x.result.Answered && instanceFailed(err)
		}
		if !again || try == maxTries {
			return err
		}
	}
}

// instanceFailed reports whether err is of the instance and not of the request:
// another instance may do better.
func instanceFailed(err error) bool {
	return errors.Is(err, forward.ErrUnreachable) || errors.Is(err, ErrEnded) ||
		errors.Is(err, ErrUnhealthy) || errors.Is(err, ErrMemory)
}

// moved reports whether a wait ended because the revision is given up while the
// host is already served by another one, and takes up that route.
func (x *exchange) moved(err error) bool {
	if !errors.Is(err, ErrNoInstance) && !errors.Is(err, ErrEnded) {
		return false
	}
	e := x.door.server.table.Load().find(x.host)
	if e == nil || e == x.entry || e.route.Name != x.entry.route.Name || e.serves(x.target.Pool) {
		return false
	}
	x.entry = e
	return true
}

// serves reports whether requests may go to a pool.
func (e *entry) serves(p *Pool) bool {
	for _, s := range e.splits {
		if s.Target.Pool == p {
			return true
		}
	}
	return false
}

// deadline is when the request must have been answered.
func (x *exchange) deadline() time.Time {
	d := x.target.Timeout
	if d == 0 {
		d = contract.DefaultRequestTimeout
	}
	return x.arrived.Add(d)
}

// acquire takes a slot, or waits for one.
func (x *exchange) acquire(prefer string) (*Lease, error) {
	if l := x.target.Pool.take(prefer); l != nil {
		return l, nil
	}
	ctx, cancel := context.WithDeadlineCause(x.r.Context(), x.deadline(), errTimeout)
	defer cancel()
	l, err := x.target.Pool.wait(ctx, prefer)
	if errors.Is(err, context.Canceled) {
		err = errDisconnect
	}
	return l, err
}

// forward has the instance of a lease answer, and gives the slot back.
func (x *exchange) forward(l *Lease, stick bool) error {
	defer l.Release()
	x.instance = l.Backend.PublicID
	// The end of the instance leaves the client's connection alone: if nothing was
	// sent, another one may answer.
	ctx, cancel := l.Context(x.r.Context())
	defer cancel(nil)
	timer := time.AfterFunc(time.Until(x.deadline()), func() {
		cancel(errTimeout)
		x.cut()
	})
	defer timer.Stop()
	w := x.w
	if stick && x.target.Affinity {
		w = &cookieWriter{ResponseWriter: w, key: l.member.key, secure: x.door.proto == "https"}
	}
	x.result = l.member.hop.Serve(w, x.r.WithContext(ctx))
	err := x.result.Err
	if err == nil {
		return nil
	}
	if errors.Is(err, forward.ErrUnreachable) && ctx.Err() == nil {
		x.target.Pool.shun(l.member)
		if !x.result.Sent {
			return err
		}
	}
	return verdict(ctx, l.member.hop, err)
}

// verdict is why a request has failed: why its context has ended, or is about to
// where the instance has broken the connection, and err otherwise.
func verdict(ctx context.Context, hop *forward.Hop, err error) error {
	broken := errors.Is(err, forward.ErrMalformed) || errors.Is(err, forward.ErrUnreachable)
	if broken && !ends(ctx, verdictTime) && !hop.Answers(ctx) {
		ends(ctx, deadTime)
	}
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return err
	case errors.Is(cause, context.Canceled):
		return errDisconnect
	default:
		return cause
	}
}

// ends waits for the end of ctx, and reports whether it came within d.
func ends(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return true
	case <-timer.C:
		return false
	}
}
