package control

import (
	"sync"

	"runnel/scheduler"
)

// runs are the executions that the scheduler has, by their full names. Safe for
// concurrent use.
type runs struct {
	mu  sync.RWMutex
	all map[string]*run // guarded by mu
}

// run is an execution that the scheduler has.
type run struct {
	*scheduler.Execution
	// cancelled says that the scheduler has been told; only the goroutine that
	// sees to the execution touches it.
	cancelled bool
}

func newRuns() *runs { return &runs{all: make(map[string]*run)} }

// get is the run of an execution, nil if the scheduler does not have it.
func (r *runs) get(name string) *run {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.all[name]
}

func (r *runs) add(name string, x *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[name] = x
}

func (r *runs) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, name)
}
