package store

import (
	bolt "go.etcd.io/bbolt"
)

// land commits a transaction in which the changes of a batch have run.
//
// bbolt writes the new pages, syncs, writes the meta page, syncs. Up to the
// meta page an error leaves everything as it was. After it, the new state is
// what every transaction sees, and only the disk may not have it.
func (c *committer) land(tx *bolt.Tx, batch []*change) error {
	id := uint64(tx.ID())
	landed := make(chan struct{})
	c.landing.Store(&landed)
	err := c.commit(tx)
	if err == nil {
		c.durable.Store(id)
	}
	close(landed)
	if err == nil {
		return nil
	}
	if c.newest() != id {
		return err
	}
	c.unsure = id
	if c.settle() == nil {
		return nil
	}
	for _, each := range batch {
		if each.keep {
			each.ran = true
			c.stuck = append(c.stuck, each)
		}
	}
	return err
}

// await returns when a transaction that can be seen is durable, or has turned
// out to be unsure: then there is nothing better to show. The order of the two
// loads matters. If the transaction is not durable at the second, the first was
// of its own commit, and not of one behind it, which might wait for readers.
func (c *committer) await(id uint64) {
	landing := c.landing.Load()
	if id > c.durable.Load() {
		<-*landing
	}
}

// settle makes the transaction durable of which that is not sure. Syncing again
// would not do: after an error the kernel takes the page for clean, so it is
// written again.
func (c *committer) settle() error {
	if c.unsure == 0 {
		return nil
	}
	if err := c.file.rewrite(int64(c.unsure % 2)); err != nil {
		return err
	}
	// bbolt has lost sight of which pages the state before still needs. Those
	// who read it must be done before the next transaction takes them.
	c.readers.Lock()
	c.durable.Store(c.unsure)
	c.readers.Unlock()
	for _, each := range c.stuck {
		each.finish(nil)
	}
	c.unsure, c.stuck = 0, nil
	return nil
}

// abandon ends what is left in a closed queue.
func (c *committer) abandon() {
	c.lost = len(c.stuck)
	for _, each := range c.queue.rest() {
		if each.keep {
			c.lost++
		} else {
			each.finish(ErrClosed)
		}
	}
}

// newest is the last transaction that can be seen, 0 if none can.
func (c *committer) newest() uint64 {
	tx, err := c.db.Begin(false)
	if err != nil {
		return 0
	}
	defer func() { _ = tx.Rollback() }() // of a reader: always nil
	return uint64(tx.ID())
}

// size is how many bytes of the file are in use, 0 if that cannot be told.
func (c *committer) size() int64 {
	tx, err := c.db.Begin(false)
	if err != nil {
		return 0
	}
	defer func() { _ = tx.Rollback() }() // of a reader: always nil
	return tx.Size()
}
