package logs

import (
	"slices"
	"strings"
	"time"
)

// size is what one log takes.
type size struct {
	instance string
	// size is that of its files, in bytes; written is when it was added to last.
	size    int64
	written time.Time
}

// choose says which logs are to go so that at least need bytes are freed, if
// there are as many: running are the beginnings of the instances of executions
// that run, ended those of their instances that have ended nevertheless.
func choose(sizes []size, running map[string]bool, ended map[string]bool, need int64) (remove []size) {
	var first, then []size
	for _, s := range sizes {
		switch {
		case !running[execution(s.instance)]:
			first = append(first, s)
		case ended[s.instance]:
			then = append(then, s)
		}
	}
	for _, some := range [][]size{byAge(first), byAge(then)} {
		for _, s := range some {
			if need <= 0 {
				return remove
			}
			remove = append(remove, s)
			need -= s.size
		}
	}
	return remove
}

// byAge orders logs: by when anything was last written by their execution, and
// then by when it was by themselves.
func byAge(sizes []size) []size {
	last := make(map[string]time.Time)
	for _, s := range sizes {
		if of := execution(s.instance); s.written.After(last[of]) {
			last[of] = s.written
		}
	}
	slices.SortFunc(sizes, func(a, b size) int {
		x, y := execution(a.instance), execution(b.instance)
		for _, order := range []int{last[x].Compare(last[y]), strings.Compare(x, y), a.written.Compare(b.written)} {
			if order != 0 {
				return order
			}
		}
		return strings.Compare(a.instance, b.instance)
	})
	return sizes
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
