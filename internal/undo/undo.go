// Package undo keeps the steps that take back what has been done so far.
//
// A multi-step operation pushes the undo of each step as it succeeds; a
// failure runs them in reverse, success releases them. It owns nothing else
// and needs no privilege.
package undo

import "errors"

// Stack holds undo steps. The zero value is empty and ready. It is not safe
// for concurrent use.
type Stack struct{ steps []func() error }

// Push adds the undo of a step that has just succeeded.
func (s *Stack) Push(step func() error) { s.steps = append(s.steps, step) }

// Release forgets every step: what was done stays.
func (s *Stack) Release() { s.steps = nil }

// Run takes back every step, last first, and empties the stack. A failing step
// does not keep the others from running; the errors are joined.
func (s *Stack) Run() error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		errs = append(errs, s.steps[i]())
	}
	s.steps = nil
	return errors.Join(errs...)
}

// OnError runs the steps if *err is set and joins their errors to it. It is
// meant to be deferred with the named result of the operation.
func (s *Stack) OnError(err *error) {
	if *err == nil {
		return
	}
	if undone := s.Run(); undone != nil {
		*err = errors.Join(*err, undone)
	}
}
