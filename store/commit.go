package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Pauses between attempts to write while the disk refuses. Update answers
// after the longest of them at the latest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// committer writes what is queued: one goroutine, one transaction at a time.
type committer struct {
	db    *bolt.DB
	file  *file
	queue *queue
	// commit is (*bolt.Tx).Commit, except where a test has the disk refuse.
	commit func(*bolt.Tx) error

	stopped chan struct{}         // closed when run has returned
	health  atomic.Pointer[error] // what the disk says, nil if it is well
	lost    int                   // appended changes that came to nothing; read once stopped

	// durable is the last transaction that is. Whoever sees a later one waits
	// for landing, which is closed when the commit on its way has ended.
	durable atomic.Uint64
	landing atomic.Pointer[chan struct{}]
	// readers is held by each View.
	readers sync.RWMutex

	// unsure is the transaction, if any, of which the meta page was written
	// but not synced, and stuck are the appended changes in it.
	unsure uint64
	stuck  []*change
}

// run commits until the queue is closed, and then what is left of it, unless
// the disk refuses that.
func (c *committer) run() {
	defer close(c.stopped)
	for pause := time.Duration(0); ; {
		closed := c.queue.wait(pause)
		empty, err := c.round()
		pause = longer(pause, err)
		if closed && (empty || err != nil) {
			c.abandon()
			return
		}
	}
}

// longer is the pause after an attempt.
func longer(pause time.Duration, err error) time.Duration {
	if err == nil {
		return 0
	}
	return min(max(2*pause, firstPause), longestPause)
}

// round commits one batch. Appended changes that the disk refuses stay at the
// head of the queue.
func (c *committer) round() (empty bool, err error) {
	batch := c.queue.take()
	if err = c.settle(); err == nil {
		err = c.write(batch)
	}
	if err == nil {
		empty = c.queue.settle(nil)
		c.file.extend(c.size())
		return empty, nil
	}
	err = fmt.Errorf("%w: %w", ErrDisk, err)
	c.health.Store(&err)
	var left []*change
	for _, each := range batch {
		switch {
		case !each.keep:
			each.finish(err)
		case !each.ran:
			left = append(left, each)
		}
	}
	return c.queue.settle(left), err
}

// write runs the changes of a batch and makes them durable. An error is the
// disk's, and no change is finished then.
func (c *committer) write(batch []*change) error {
	tx, o, err := c.apply(batch)
	if err != nil {
		return err
	}
	// After a failure all want to know whether writing goes again, even if
	// nobody has anything to write.
	if o.wrote || c.health.Load() != nil {
		must(sign(tx, o.sum))
		err = c.land(tx, batch)
	} else {
		err = tx.Rollback()
	}
	if err != nil {
		return err
	}
	c.health.Store(nil)
	for i, each := range batch {
		each.finish(o.errs[i])
	}
	return nil
}

// outcome is what the changes of a batch have come to.
type outcome struct {
	errs  []error
	wrote bool
	sum   uint64 // what they have changed the sum of the state by
}

// apply runs the changes of a batch in one transaction. Those that fail come
// to nothing: if one has written by then, all others run again without it.
func (c *committer) apply(batch []*change) (*bolt.Tx, outcome, error) {
	o := outcome{errs: make([]error, len(batch))}
	out := make([]bool, len(batch))
	for {
		tx, err := c.db.Begin(true)
		if err != nil {
			return nil, o, err
		}
		failed := o.run(tx, batch, out)
		if failed < 0 {
			return tx, o, nil
		}
		out[failed] = true
		if err := tx.Rollback(); err != nil {
			return nil, o, err
		}
	}
}

// run runs the changes that are not out, up to the first that fails after it
// has written: it returns its index, or -1.
func (o *outcome) run(tx *bolt.Tx, batch []*change, out []bool) (failed int) {
	o.wrote, o.sum = false, 0
	for i, each := range batch {
		if out[i] {
			continue
		}
		t := Tx{bolt: tx}
		o.errs[i] = each.run(&t)
		if o.errs[i] != nil && t.writes > 0 {
			return i
		}
		o.wrote = o.wrote || t.writes > 0
		o.sum += t.sum
	}
	return -1
}
