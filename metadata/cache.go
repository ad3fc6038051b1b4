package metadata

import (
	"context"
	"sync"
	"time"
)

const (
	// renewal is how long before its end a token is no longer handed out:
	// longer than the margin at which clients ask for the next one.
	renewal = 5 * time.Minute
	// maxTokens bounds what is kept for one instance, which may ask for a new
	// audience every time.
	maxTokens = 32
	// maxInstances bounds for how many instances tokens are kept. Nobody tells
	// when one has gone; it is forgotten as others come.
	maxInstances = 512
)

// cacheKey is what an instance's token depends on: the sort of token, and its
// scopes or its audience.
type cacheKey struct{ kind, of string }

// entry is a token that has been made.
type entry struct {
	token   string
	expires time.Time
}

// lasts reports whether e is good for long enough. A token from the future
// tells that the clock was set back: its receivers would refuse it as not yet
// issued.
func (e entry) lasts(now time.Time) bool {
	left := e.expires.Sub(now)
	return left > renewal && left <= lifetime
}

// shelf is what is kept for one instance.
type shelf struct {
	entries map[cacheKey]entry // at most maxTokens
	used    int                // by cache.uses
	// turn has room for one who makes a token: an instance that asks on many
	// connections at once waits for itself, not others for it.
	turn chan struct{}
}

// cache keeps tokens until shortly before they expire. The zero value is empty
// and ready.
type cache struct {
	mu      sync.Mutex // guards what follows and what the shelves hold
	shelves map[Identity]*shelf
	uses    int
}

// get returns id's token of key, made by issue at the current second if there
// is none that lasts.
func (c *cache) get(ctx context.Context, id Identity, key cacheKey, issue func(now time.Time) (entry, error)) (entry, error) {
	s, e, ok := c.find(id, key)
	if ok {
		return e, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return entry{}, context.Cause(ctx)
	}
	if _, e, ok = c.find(id, key); ok { // whoever had the turn before made it
		return e, nil
	}
	now := wholeSeconds(time.Now())
	e, err := issue(now)
	if err != nil {
		return entry{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.keep(key, e, now)
	return e, nil
}

// find returns id's shelf, and what is on it under key if that lasts.
func (c *cache) find(id Identity, key cacheKey) (_ *shelf, e entry, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shelves[id]
	if s == nil {
		if len(c.shelves) >= maxInstances {
			c.forget()
		}
		s = &shelf{entries: map[cacheKey]entry{}, turn: make(chan struct{}, 1)}
		if c.shelves == nil {
			c.shelves = map[Identity]*shelf{}
		}
		c.shelves[id] = s
	}
	c.uses++
	s.used = c.uses
	e, ok = s.entries[key]
	return s, e, ok && e.lasts(wholeSeconds(time.Now()))
}

// forget drops the shelf that was used longest ago. The caller holds mu.
func (c *cache) forget() {
	var oldest Identity
	least := c.uses + 1
	for id, s := range c.shelves {
		if s.used < least {
			oldest, least = id, s.used
		}
	}
	delete(c.shelves, oldest)
}

// keep puts e on the shelf. If that is full, what does not last goes, or else
// any other: losing one costs its owner a signature. The caller holds mu.
func (s *shelf) keep(key cacheKey, e entry, now time.Time) {
	if len(s.entries) >= maxTokens {
		for k, old := range s.entries {
			if !old.lasts(now) {
				delete(s.entries, k)
			}
		}
	}
	for k := range s.entries {
		if len(s.entries) < maxTokens {
			break
		}
		delete(s.entries, k)
	}
	s.entries[key] = e
}
