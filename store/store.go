package store

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Store is an open file of records. Its methods may be called from any
// goroutine, but not from within a function that it runs.
type Store struct {
	db       *bolt.DB
	commits  *committer
	queue    *queue
	recovery *Recovery
}

// Recovery is what Open had to do to a file.
type Recovery struct {
	// Reason says what was wrong.
	Reason string
	// Kept is the path of a copy of the file as it was found.
	Kept string
}

// Recovery tells what Open had to do to go back to a whole state, nil if
// nothing. What was durable is lost then only if it was the very last commit,
// or the disk has lost what it had synced.
func (s *Store) Recovery() *Recovery { return s.recovery }

// Update runs change in a transaction, which it may share with others that
// come at the same time, and returns once that is durable. If change returns
// an error, Update returns the same, and nothing was written.
//
// Change runs in another goroutine, perhaps several times, and must neither
// call the store nor end the goroutine (a test's Fatal does). What it sees
// includes everything queued before it. It does well to look first and write
// then: one that fails after it has written has all others of its commit run
// again. If it panics, Update does.
//
// An ErrDisk means that nothing was written, as far as the store can tell; on
// some disks that cannot sync it may be there later all the same. When ctx
// ends before change has run, Update returns its cause and change never runs.
// Afterwards Update waits for the disk.
func (s *Store) Update(ctx context.Context, change func(*Tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c := newChange(guarded(change), false)
	if !s.queue.add(c) {
		return ErrClosed
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if s.queue.withdraw(c) {
			return context.Cause(ctx)
		}
		<-c.done
	}
	if p, ok := c.err.(*panicked); ok {
		panic(p.value)
	}
	return c.err
}

// Append queues change behind all that was queued before, and returns at once.
// While the disk refuses, it stays queued and is tried again. Only if 65,536
// changes wait already does Append wait too.
//
// Change runs in another goroutine, perhaps several times, and must neither
// call the store nor panic. After Close it never runs, and the Ticket is never
// done.
func (s *Store) Append(change func(*Tx)) Ticket {
	c := newChange(func(tx *Tx) error { change(tx); return nil }, true)
	s.queue.add(c)
	return Ticket{c.done}
}

// View runs read in a transaction that shows one durable state, and returns
// what it returns. Read runs in the caller's goroutine and must not call the
// store; as long as it runs, nothing that was removed frees its place.
func (s *Store) View(read func(*Tx) error) error {
	s.commits.readers.RLock()
	defer s.commits.readers.RUnlock()
	tx, err := s.db.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	} else if err != nil {
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	defer func() { _ = tx.Rollback() }() // of a reader: always nil
	s.commits.await(uint64(tx.ID()))
	return read(&Tx{bolt: tx})
}

// Health says why nothing can be written at the moment: an ErrDisk, or nil if
// the last attempt went through. While it does not, the store keeps trying.
func (s *Store) Health() error {
	if err := s.commits.health.Load(); err != nil {
		return *err
	}
	return nil
}

// Close waits until everything queued is durable and each View has ended, and
// closes the file. If the disk refuses, it tries once more and says how much
// was lost. Further calls do nothing.
func (s *Store) Close() error {
	if !s.queue.close() {
		return nil
	}
	<-s.commits.stopped
	err := s.db.Close()
	if n := s.commits.lost; n > 0 {
		err = errors.Join(fmt.Errorf("%d appended changes are lost: %w", n, s.Health()), err)
	}
	return err
}

// Ticket tells when an appended change is durable. The zero Ticket is of one
// that is.
type Ticket struct{ done <-chan struct{} }

// Done is closed once the change is durable.
func (t Ticket) Done() <-chan struct{} {
	if t.done == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	return t.done
}

// panicked is what a change has panicked with.
type panicked struct{ value any }

// Error says so.
func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guarded turns a panic of change into an error, for the goroutine whose fault
// it is.
func guarded(change func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = &panicked{r}
			}
		}()
		return change(tx)
	}
}

func newChange(run func(*Tx) error, keep bool) *change {
	return &change{run: run, keep: keep, done: make(chan struct{})}
}
