package control

import (
	"context"
	"sync"
)

// attention gives each resource that needs something done a goroutine, and
// never two at a time. Safe for concurrent use.
type attention struct {
	mu     sync.Mutex
	visits map[string]*visit // guarded by mu
	closed bool              // guarded by mu
	// all counts the goroutines.
	all sync.WaitGroup
}

// visit is the attention that one resource has.
type visit struct {
	// stop ends the context of the pass under way; again asks for another one.
	// Both are guarded by attention.mu.
	stop  context.CancelFunc
	again bool
}

// call sees to it that tend looks at the resource called name from now on. If
// it is looking already, its context ends, and it is called once more when it
// has returned. A tend whose context has not ended returns when nothing is left
// to do.
func (a *attention) call(name string, tend func(ctx context.Context, name string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if v := a.visits[name]; v != nil {
		v.again = true
		v.stop()
		return
	}
	if a.visits == nil {
		a.visits = make(map[string]*visit)
	}
	v := &visit{}
	a.visits[name] = v
	ctx, stop := context.WithCancel(context.Background())
	v.stop = stop
	a.all.Go(func() {
		for more := true; more; ctx, more = a.next(name, v) {
			tend(ctx, name)
		}
	})
}

// again is call for a resource that need not be looked at anew at once: if tend
// is looking already, it goes on, and is called once more when it has returned.
func (a *attention) again(name string, tend func(ctx context.Context, name string)) {
	a.mu.Lock()
	if v := a.visits[name]; v != nil && !a.closed {
		v.again = true
		a.mu.Unlock()
		return
	}
	a.mu.Unlock()
	a.call(name, tend)
}

// next is the context of the next pass, if there is to be one.
func (a *attention) next(name string, v *visit) (ctx context.Context, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v.stop()
	if a.closed || !v.again {
		delete(a.visits, name)
		return nil, false
	}
	v.again = false
	ctx, v.stop = context.WithCancel(context.Background())
	return ctx, true
}

// close ends every pass, and returns when the last one has. Nothing is looked
// at any more.
func (a *attention) close() {
	a.mu.Lock()
	a.closed = true
	for _, v := range a.visits {
		v.stop()
	}
	a.mu.Unlock()
	a.all.Wait()
}
