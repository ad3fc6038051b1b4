package undo

import (
	"errors"
	"slices"
	"testing"
)

func TestRunTakesBackInReverseAndJoinsErrors(t *testing.T) {
	t.Parallel()
	var s Stack
	var order []int
	second := errors.New("second")
	for i := range 3 {
		s.Push(func() error {
			order = append(order, i)
			if i == 1 {
				return second
			}
			return nil
		})
	}
	if err := s.Run(); !errors.Is(err, second) {
		t.Errorf("error %v, want it to hold %v", err, second)
	}
	if !slices.Equal(order, []int{2, 1, 0}) {
		t.Errorf("order %v", order)
	}
	if err := s.Run(); err != nil || len(order) != 3 {
		t.Errorf("a second Run did something: %v, %v", err, order)
	}
}

func TestOnErrorRunsOnlyOnError(t *testing.T) {
	t.Parallel()
	undone := 0
	operation := func(fail error) (err error) {
		var s Stack
		defer s.OnError(&err)
		s.Push(func() error { undone++; return nil })
		return fail
	}
	if err := operation(nil); err != nil || undone != 0 {
		t.Errorf("success: %v, undone %d times", err, undone)
	}
	fail := errors.New("step")
	if err := operation(fail); err != fail || undone != 1 {
		t.Errorf("failure: %v, undone %d times; want the error as it was", err, undone)
	}
}
