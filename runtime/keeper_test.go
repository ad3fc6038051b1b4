package runtime

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// That one shim could not be started uses up nobody's tries: the next is waited
// for, however often it takes.
func TestNextShimIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p keepers
		why := errors.New("no memory")
		p.set(nil, why)
		next := &keeper{}
		go func() {
			for range 3 {
				<-time.After(time.Second)
				p.set(nil, why)
			}
			p.set(next, nil)
		}()
		limit, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := p.get(limit); !errors.Is(err, why) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("when nobody waits any more: %v", err)
		}
		if k, err := p.get(t.Context()); k != next || err != nil {
			t.Errorf("keeper %v, error %v", k, err)
		}
		p.set(nil, ErrClosed)
		if _, err := p.get(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("when the launcher is closed: %v", err)
		}
	})
}
