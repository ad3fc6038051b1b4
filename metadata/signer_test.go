package metadata

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
)

// busySigner returns a Signer whose one place is taken: somebody signs. It
// belongs to the bubble that calls enter.
func busySigner(t *testing.T) (s *Signer, enter func()) {
	t.Helper()
	s, err := LoadOrCreateSigner(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		s.signing = make(chan struct{}, 1)
		s.signing <- struct{}{}
	}
}

// An instance with a hundred requests under way is one in the queue: its
// neighbour comes after one of them, not after all.
func TestNoInstanceHoldsUpItsNeighbours(t *testing.T) {
	t.Parallel()
	const greedy, soon = 100, 10
	s, enter := busySigner(t)
	synctest.Test(t, func(t *testing.T) {
		enter()
		served := make(chan string, greedy+1)
		ask := func(n int, audience string) {
			if _, err := s.IdentityToken(t.Context(), instance(n), audience, false); err != nil {
				t.Error(err)
			}
			served <- instance(n).InstanceID
		}
		for n := range greedy {
			go ask(1, audience(n).of)
		}
		synctest.Wait()
		go ask(2, "x")
		synctest.Wait()
		<-s.signing
		place := 0
		for n := range greedy + 1 {
			if <-served == instance(2).InstanceID {
				place = n
			}
		}
		if place > soon {
			t.Errorf("%d requests of another instance were served first", place)
		}
	})
}

func TestWhoeverHangsUpLeavesTheQueue(t *testing.T) {
	t.Parallel()
	s, enter := busySigner(t)
	synctest.Test(t, func(t *testing.T) {
		enter()
		gone := errors.New("hung up")
		ctx, leave := context.WithCancelCause(t.Context())
		answer := make(chan error, 2)
		for n := range 2 { // the one waits for the key, the other for the first
			go func() {
				_, err := s.AccessToken(ctx, instance(1), []string{audience(n).of})
				answer <- err
			}()
		}
		synctest.Wait()
		leave(gone)
		for range 2 {
			if err := <-answer; !errors.Is(err, gone) {
				t.Errorf("got %v", err)
			}
		}
	})
}
