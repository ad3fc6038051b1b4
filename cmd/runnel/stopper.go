package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
)

// stopper ends what is under way when a signal asks for it, or when nobody
// reads the output any more.
type stopper struct {
	console *console
	cancel  context.CancelCauseFunc
	quit    chan struct{}
	work    sync.WaitGroup

	// mu guards what follows.
	mu    sync.Mutex
	x     execution // nil until there is one
	cause error     // of the stop, nil before
	hard  bool      // a second signal has come
}

// newStopper begins to listen. The caller must close it.
func newStopper(c *console, signals <-chan os.Signal, cancel context.CancelCauseFunc) *stopper {
	s := &stopper{console: c, cancel: cancel, quit: make(chan struct{})}
	s.work.Go(func() {
		lost := c.lost
		for {
			select {
			case sig := <-signals:
				s.stop(&cli.Interrupted{Signal: sig})
			case <-lost:
				lost = nil // once is enough
				s.stop(errOutput)
			case <-s.quit:
				return
			}
		}
	})
	return s
}

func (s *stopper) close() {
	close(s.quit)
	s.work.Wait()
}

// take hands over the execution that a stop is to end.
func (s *stopper) take(x execution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.x = x
	if s.cause != nil {
		s.end()
	}
}

// stop ends what is under way, the second time without a grace period.
func (s *stopper) stop(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		s.hard = true
	} else {
		s.cause = cause
	}
	s.cancel(s.cause)
	s.end()
}

// end tells the execution. s.mu is held.
func (s *stopper) end() {
	if s.hard {
		s.console.hurry()
	}
	switch {
	case s.x == nil:
		s.console.say("Stopping.")
	case s.hard:
		s.x.Kill()
		s.console.say("Killing every task.")
	default:
		s.x.Cancel()
		s.console.say("Stopping every task: SIGTERM now, SIGKILL in %d seconds. Again to kill at once.",
			int(contract.GracePeriod/time.Second))
	}
}

// reason is err, or the signal if that is what err comes from.
func (s *stopper) reason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var stop *cli.Interrupted
	if errors.As(s.cause, &stop) {
		return stop
	}
	return err
}
