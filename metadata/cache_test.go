package metadata

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// instance is the identity of one of many.
func instance(n int) Identity { return Identity{InstanceID: strconv.Itoa(n)} }

// audience is the key of one of many tokens.
func audience(n int) cacheKey { return cacheKey{"identity", strconv.Itoa(n)} }

// issuer counts how many tokens were made.
func issuer(made *int) func(time.Time) (entry, error) {
	return func(now time.Time) (entry, error) {
		*made++
		return entry{token: strconv.Itoa(*made), expires: now.Add(lifetime)}, nil
	}
}

// fill asks for n tokens for one instance.
func fill(t *testing.T, c *cache, id Identity, from, n int) (made int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		if _, err := c.get(t.Context(), id, audience(i), issuer(&made)); err != nil {
			t.Fatal(err)
		}
		if held := len(c.shelves[id].entries); held > maxTokens {
			t.Fatalf("%d tokens are kept after %d", held, i+1)
		}
	}
	return made
}

func TestAnInstanceTakesUpItsOwnRoomOnly(t *testing.T) {
	t.Parallel()
	var c cache
	fill(t, &c, instance(1), 0, 1)
	fill(t, &c, instance(2), 0, 10*maxTokens)
	if made := fill(t, &c, instance(1), 0, 1); made != 0 {
		t.Error("the neighbour has cost an instance its token")
	}
}

func TestWhatHasExpiredGoesFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c cache
		fill(t, &c, instance(1), 0, maxTokens-1)
		time.Sleep(lifetime - renewal)
		fill(t, &c, instance(1), maxTokens, maxTokens)
		if made := fill(t, &c, instance(1), maxTokens, maxTokens); made != 0 {
			t.Errorf("%d tokens were dropped while others had expired", made)
		}
	})
}

func TestInstancesThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	var c cache
	for n := range 3 * maxInstances {
		fill(t, &c, instance(n), 0, 1)
		if made := fill(t, &c, instance(0), 0, 1); made != 0 {
			t.Fatalf("after %d instances one that is in use was forgotten", n)
		}
	}
	if n := len(c.shelves); n > maxInstances {
		t.Errorf("%d instances are remembered", n)
	}
}

// Of all that an instance asks for at once, one is made at a time, and what
// nobody waits for any more is not made.
func TestAnInstanceTakesTurnsWithItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c cache
		making, most := 0, 0
		slow := func(now time.Time) (entry, error) {
			making++
			most = max(most, making)
			<-time.After(time.Second)
			making--
			return entry{expires: now.Add(lifetime)}, nil
		}
		var callers sync.WaitGroup
		begun := time.Now()
		for n := range 5 {
			callers.Go(func() { _, _ = c.get(t.Context(), instance(1), audience(n), slow) })
			callers.Go(func() { _, _ = c.get(t.Context(), instance(1), audience(n), slow) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("hung up"))
		defer cancel()
		if _, err := c.get(ctx, instance(1), audience(9), slow); err == nil || err.Error() != "hung up" {
			t.Errorf("a caller that left got %v", err)
		}
		callers.Wait()
		if took := time.Since(begun); most != 1 || took != 5*time.Second {
			t.Errorf("%d at once, all in %v", most, took)
		}
	})
}

func TestCacheDistrustsAClockSetBack(t *testing.T) {
	t.Parallel()
	var c cache
	future := func(now time.Time) (entry, error) {
		return entry{token: "from the future", expires: now.Add(lifetime + time.Hour)}, nil
	}
	made := 0
	_, _ = c.get(t.Context(), instance(1), audience(1), future)
	if e, err := c.get(t.Context(), instance(1), audience(1), issuer(&made)); err != nil || made != 1 || e.token != "1" {
		t.Errorf("get = %v, %v after %d tokens made", e, err, made)
	}
}

func TestCacheKeepsNoFailure(t *testing.T) {
	t.Parallel()
	var c cache
	wrong := errors.New("no key")
	if _, err := c.get(t.Context(), instance(1), audience(1), func(time.Time) (entry, error) { return entry{}, wrong }); !errors.Is(err, wrong) {
		t.Errorf("get = %v", err)
	}
	if made := fill(t, &c, instance(1), 1, 1); made != 1 {
		t.Errorf("after a failure: %d made", made)
	}
}
