package serving

import (
	"context"
	"errors"
	"slices"
)

// waiter waits for instances of a revision.
type waiter struct {
	// all asks for as many as the minimum; otherwise one is enough.
	all bool
	// answer has room for one.
	answer chan error
}

// Check returns when an instance of the revision is ready, and starts one if
// there is none: what a deployment is checked by. One that may have none is not
// checked. Errors: *StartError, ErrUnknown, ErrDetached, the cause of ctx's end,
// with ErrNoRoom where that was why.
func (f *Fleet) Check(ctx context.Context, revision string) error {
	return f.waitReady(ctx, revision, false)
}

// Warm returns when as many instances are ready as the revision's minimum says.
// Errors: as Check.
func (f *Fleet) Warm(ctx context.Context, revision string) error {
	return f.waitReady(ctx, revision, true)
}

func (f *Fleet) waitReady(ctx context.Context, revision string, all bool) error {
	l := f.find(revision)
	if l == nil {
		return ErrUnknown
	}
	w := &waiter{all: all, answer: make(chan error, 1)}
	l.wish(func(wishes *wishes) { wishes.waiters = append(slices.Clip(wishes.waiters), w) })
	select {
	case err := <-w.answer:
		return err
	case <-l.left:
		if f.isDetached() {
			return ErrDetached
		}
		return ErrUnknown
	case <-ctx.Done():
		l.forget(w)
		return l.late(context.Cause(ctx))
	}
}

// late is why who waited did so in vain: the end of his patience, and what it was
// that took so long, where that was the host.
func (l *loop) late(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crowded {
		return errors.Join(ErrNoRoom, err)
	}
	return err
}

// forget has nobody wait as w any more.
func (l *loop) forget(w *waiter) {
	l.wish(func(wishes *wishes) {
		wishes.waiters = slices.DeleteFunc(slices.Clone(wishes.waiters), func(other *waiter) bool { return other == w })
	})
}

// answer tells those who wait for what is there.
func (l *loop) answer(w *wishes) {
	n := l.count(ready)
	for _, waiter := range w.waiters {
		want := min(1, w.limit())
		if waiter.all {
			want = w.least()
		}
		if n >= want {
			l.settle(waiter, nil)
		}
	}
}

// dismiss tells everybody who waits that it is in vain.
func (l *loop) dismiss(err error) {
	l.mu.Lock()
	waiters := l.wishes.waiters
	l.mu.Unlock()
	for _, w := range waiters {
		l.settle(w, err)
	}
}

func (l *loop) settle(w *waiter, err error) {
	select {
	case w.answer <- err:
		l.forget(w)
	default: // it has its answer
	}
}
