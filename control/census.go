package control

import (
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// census knows of every execution that there is and whether it has ended, so
// that nobody has to read them all to count them. Names are full ones. Safe for
// concurrent use.
type census struct {
	mu sync.RWMutex
	// executions are those of each job, the oldest first.
	executions map[string][]counted // guarded by mu
	// byID are the names of the executions with an id: few if not one.
	byID map[string][]string // guarded by mu
	// unfinished have not ended, or are about to be created.
	unfinished map[string]struct{} // guarded by mu
}

// counted is one execution.
type counted struct {
	name    string
	created time.Time
	ended   bool
}

func newCensus() *census {
	return &census{
		executions: make(map[string][]counted),
		byID:       make(map[string][]string),
		unfinished: make(map[string]struct{}),
	}
}

// reserve makes room for an execution that is about to be created: by add it
// is, by forget not.
func (c *census) reserve(n name, limit int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	full := n.String()
	if _, taken := c.unfinished[full]; taken || slices.Contains(c.byID[n.id()], full) {
		return alreadyExists(n)
	}
	if len(c.unfinished) >= limit {
		return status.Errorf(codes.ResourceExhausted, "%d executions are running, which is the most at once: try again when one has ended.", limit)
	}
	c.unfinished[full] = struct{}{}
	return nil
}

// add counts an execution that has been created.
func (c *census) add(n name, created time.Time, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	full, job := n.String(), n.up(atJob).String()
	all := c.executions[job]
	at := len(all)
	for at > 0 && older(created, full, all[at-1]) {
		at--
	}
	c.executions[job] = slices.Insert(all, at, counted{full, created, ended})
	c.byID[n.id()] = append(c.byID[n.id()], full)
	if ended {
		delete(c.unfinished, full)
	} else {
		c.unfinished[full] = struct{}{}
	}
}

// older reports whether an execution comes before x.
func older(created time.Time, full string, x counted) bool {
	if d := created.Compare(x.created); d != 0 {
		return d < 0
	}
	return full < x.name
}

// end notes that an execution has ended.
func (c *census) end(n name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	full := n.String()
	delete(c.unfinished, full)
	all := c.executions[n.up(atJob).String()]
	if i := slices.IndexFunc(all, func(x counted) bool { return x.name == full }); i >= 0 {
		all[i].ended = true
	}
}

// forget counts an execution no more.
func (c *census) forget(n name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	full, job := n.String(), n.up(atJob).String()
	delete(c.unfinished, full)
	c.executions[job] = slices.DeleteFunc(c.executions[job], func(x counted) bool { return x.name == full })
	if len(c.executions[job]) == 0 {
		delete(c.executions, job)
	}
	c.byID[n.id()] = slices.DeleteFunc(c.byID[n.id()], func(s string) bool { return s == full })
	if len(c.byID[n.id()]) == 0 {
		delete(c.byID, n.id())
	}
}

// of is how many executions a job has, and the one created last.
func (c *census) of(job name) (count int, latest string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := c.executions[job.String()]
	if len(all) == 0 {
		return 0, ""
	}
	return len(all), all[len(all)-1].name
}

// surplus are the oldest executions of some jobs, with full names, that have
// ended, beyond the number of those to be kept of them together.
func (c *census) surplus(keep int, jobs ...string) (names []string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var all []counted
	for _, job := range jobs {
		for _, x := range c.executions[job] {
			if x.ended {
				all = append(all, x)
			}
		}
	}
	if len(jobs) > 1 {
		slices.SortFunc(all, func(a, b counted) int { return a.created.Compare(b.created) })
	}
	for _, x := range all[:max(0, len(all)-keep)] {
		names = append(names, x.name)
	}
	return names
}

// running are the executions that have not ended.
func (c *census) running() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	names := make([]string, 0, len(c.unfinished))
	for full := range c.unfinished {
		names = append(names, full)
	}
	return names
}

// find gives the only execution that n, which may have "-" in it, is a name of.
func (c *census) find(n name) (name, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found []string
	for _, full := range c.byID[n.id()] {
		if n.holds(full) {
			found = append(found, full)
		}
	}
	if len(found) != 1 {
		return name{}, false
	}
	return split(found[0]), true
}
