package metadata

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// issuer counts how many tokens were made.
func issuer(made *int) func(time.Time) (entry, error) {
	return func(now time.Time) (entry, error) {
		*made++
		return entry{token: strconv.Itoa(*made), expires: now.Add(lifetime)}, nil
	}
}

func TestCacheStaysWithinItsBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache{entries: map[cacheKey]entry{}}
		made := 0
		for i := range 3 * maxEntries {
			if _, err := c.get(cacheKey{of: strconv.Itoa(i)}, issuer(&made)); err != nil {
				t.Fatal(err)
			}
			if len(c.entries) > maxEntries {
				t.Fatalf("%d entries after %d tokens", len(c.entries), i+1)
			}
		}
		time.Sleep(lifetime)
		for i := range maxEntries {
			_, _ = c.get(cacheKey{of: "new" + strconv.Itoa(i)}, issuer(&made))
		}
		for k, e := range c.entries {
			if time.Until(e.expires) <= 0 && len(c.entries) == maxEntries {
				t.Fatalf("%v has expired and still takes up room", k)
			}
		}
	})
}

func TestCacheDistrustsAClockSetBack(t *testing.T) {
	t.Parallel()
	c := cache{entries: map[cacheKey]entry{}}
	c.entries[cacheKey{of: "x"}] = entry{token: "from the future", expires: time.Now().Add(lifetime + time.Hour)}
	made := 0
	if e, err := c.get(cacheKey{of: "x"}, issuer(&made)); err != nil || made != 1 || e.token != "1" {
		t.Errorf("get = %v, %v after %d tokens made", e, err, made)
	}
}

func TestCacheKeepsNoFailure(t *testing.T) {
	t.Parallel()
	c := cache{entries: map[cacheKey]entry{}}
	wrong := errors.New("no key")
	if _, err := c.get(cacheKey{}, func(time.Time) (entry, error) { return entry{}, wrong }); !errors.Is(err, wrong) {
		t.Errorf("get = %v", err)
	}
	made := 0
	if _, err := c.get(cacheKey{}, issuer(&made)); err != nil || made != 1 {
		t.Errorf("after a failure: %v, %d made", err, made)
	}
}
