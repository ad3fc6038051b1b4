package metadata

import (
	"sync"
	"time"
)

const (
	// renewal is how long before its end a token is no longer handed out:
	// longer than the margin at which clients ask for the next one.
	renewal = 5 * time.Minute
	// maxEntries bounds the cache against an instance that asks for a new
	// audience every time.
	maxEntries = 4096
)

// cacheKey is what a token depends on.
type cacheKey struct {
	id Identity
	// kind is the sort of token, of its scopes or its audience.
	kind, of string
}

// entry is a token that has been made.
type entry struct {
	token   string
	expires time.Time
}

// cache keeps tokens until shortly before they expire.
type cache struct {
	mu sync.Mutex // guards entries
	// entries holds at most maxEntries.
	entries map[cacheKey]entry
}

// get returns the token of key, made by issue at the current second if there
// is none that lasts. Two callers that miss at once may both make one; the
// later is kept, and both are good.
func (c *cache) get(key cacheKey, issue func(now time.Time) (entry, error)) (entry, error) {
	now := wholeSeconds(time.Now())
	c.mu.Lock()
	e, ok := c.entries[key]
	c.mu.Unlock()
	// A token from the future tells that the clock was set back: its
	// receivers would refuse it as not yet issued.
	if ok && e.expires.Sub(now) > renewal && e.expires.Sub(now) <= lifetime {
		return e, nil
	}
	e, err := issue(now)
	if err != nil {
		return entry{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxEntries {
		c.shrink(now)
	}
	c.entries[key] = e
	return e, nil
}

// shrink drops what is expiring, and arbitrary tokens beyond that until half
// the room is free: losing one costs its owner a signature. The caller holds mu.
func (c *cache) shrink(now time.Time) {
	for k, e := range c.entries {
		if e.expires.Sub(now) <= renewal {
			delete(c.entries, k)
		}
	}
	for k := range c.entries {
		if len(c.entries) <= maxEntries/2 {
			return
		}
		delete(c.entries, k)
	}
}
