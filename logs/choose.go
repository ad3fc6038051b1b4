package logs

import (
	"slices"
	"strings"
	"time"
)

// size is what one log takes.
type size struct {
	instance string
	// size is that of its files, in bytes, old what of it is in the older one;
	// written is when it was added to last.
	size, old int64
	written   time.Time
}

// standing is what is known of whom logs are of.
type standing struct {
	// running are the beginnings of the IDs of the instances of executions that
	// run, ended those of their instances that have ended nevertheless.
	running, ended map[string]bool
	// live are the instances of services and worker pools that are there, past
	// those that were; own are the logs of these themselves.
	live, past, own map[string]bool
}

// rank says how soon a log may go.
type rank int

const (
	// first are logs of what is over.
	first rank = iota
	// then are those of what has ended and belongs to something that goes on.
	then
	// never are those of what goes on.
	never
)

// rank is that of a log.
func (s standing) rank(instance string) rank {
	switch {
	case s.live[instance]:
		return never
	case s.own[instance], s.ended[instance]:
		return then
	case s.running[execution(instance)]:
		return never
	}
	return first
}

// removal is a log that is to go: with whole, or its older file alone.
// fromExecution says that it is not one of a service's or a worker pool's.
type removal struct {
	size
	whole, fromExecution bool
}

// choose says which logs are to go so that at least need bytes are freed, if
// there are as many. Of the logs of a service or a worker pool that is there the
// older file can go.
func choose(sizes []size, s standing, need int64) (remove []removal) {
	var ranks [never][]size
	for _, x := range sizes {
		if r := s.rank(x.instance); r < never {
			ranks[r] = append(ranks[r], x)
		}
	}
	for _, some := range ranks {
		for _, x := range s.byAge(some) {
			if need <= 0 {
				return remove
			}
			r := removal{x, !s.own[x.instance], s.family(x.instance) != x.instance}
			if !r.whole {
				r.size.size = x.old
			}
			if r.size.size == 0 && !r.whole {
				continue
			}
			remove = append(remove, r)
			need -= r.size.size
		}
	}
	return remove
}

// byAge orders logs: by when anything was last written by their execution, and
// then by when it was by themselves.
func (s standing) byAge(sizes []size) []size {
	last := make(map[string]time.Time)
	for _, x := range sizes {
		if of := s.family(x.instance); x.written.After(last[of]) {
			last[of] = x.written
		}
	}
	slices.SortFunc(sizes, func(a, b size) int {
		x, y := s.family(a.instance), s.family(b.instance)
		for _, order := range []int{last[x].Compare(last[y]), strings.Compare(x, y), a.written.Compare(b.written)} {
			if order != 0 {
				return order
			}
		}
		return strings.Compare(a.instance, b.instance)
	})
	return sizes
}

// family is whose logs go together: an execution's, and each of a service's or a
// worker pool's by itself.
func (s standing) family(instance string) string {
	if s.past[instance] || s.own[instance] {
		return instance
	}
	return execution(instance)
}

// execution is the part of an instance's ID that all instances of its execution
// have in common: what is before the index and the attempt.
func execution(instance string) string {
	for range 2 {
		if cut := strings.LastIndexByte(instance, '-'); cut >= 0 {
			instance = instance[:cut]
		}
	}
	return instance
}
