package store

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Kind is a kind of records, such as "jobs". Each has names of its own.
type Kind string

// Tx is a transaction: what View and Update hand to the function they run, and
// Append too. It is good until that function returns, and only for its
// goroutine. In a View it can only be read; writing panics.
//
// A write that cannot be meant panics as well: an empty name or one over
// 32 KB, a kind with a NUL.
type Tx struct {
	bolt *bolt.Tx
	// writes counts the changes: an iteration that sees the count move finds
	// its place again.
	writes int
	// sum is what the writes have changed the sum of the state by.
	sum uint64
}

// Get is the value of a record, nil if there is none. It must not be changed,
// and is good until the transaction ends.
func (tx *Tx) Get(kind Kind, name string) []byte {
	if name == "" {
		return nil
	}
	if record := tx.bucket(bucketRecords).Get(recordKey(kind, name)); record != nil {
		return record[timeSize:]
	}
	return nil
}

// Put writes a record, whether there was one of its name or not. Created is
// its place in the list of its kind; another one than at the Put before moves
// it there. The value may be used again when Put has returned.
func (tx *Tx) Put(kind Kind, name string, created time.Time, value []byte) {
	key, at := recordKey(kind, name), stamp(created)
	records, order := tx.bucket(bucketRecords), tx.bucket(bucketOrder)
	old := records.Get(key)
	if old != nil && !bytes.Equal(at[:], old[:timeSize]) {
		tx.swap(order, bucketOrder, orderKey(kind, [timeSize]byte(old), name), []byte{}, nil)
	}
	if old == nil || !bytes.Equal(at[:], old[:timeSize]) {
		tx.swap(order, bucketOrder, orderKey(kind, at, name), nil, []byte{})
	}
	tx.swap(records, bucketRecords, key, old, append(at[:], value...))
}

// Delete removes a record. It may be gone already.
func (tx *Tx) Delete(kind Kind, name string) {
	key := recordKey(kind, name)
	records := tx.bucket(bucketRecords)
	if old := records.Get(key); old != nil {
		tx.swap(tx.bucket(bucketOrder), bucketOrder, orderKey(kind, [timeSize]byte(old), name), []byte{}, nil)
		tx.swap(records, bucketRecords, key, old, nil)
	}
}

// swap writes a value in place of the old one, and changes the sum. Either may
// be nil: nothing is there, or nothing is to be. In is the name of the bucket.
func (tx *Tx) swap(b *bolt.Bucket, in string, key, old, value []byte) {
	tx.writes++
	if old != nil {
		tx.sum -= digest(in, key, old)
	}
	if value == nil {
		must(b.Delete(key))
		return
	}
	must(b.Put(key, value))
	tx.sum += digest(in, key, value)
}

// bucket is one of the buckets that every file has.
func (tx *Tx) bucket(name string) *bolt.Bucket { return tx.bolt.Bucket([]byte(name)) }

// must is for errors of bbolt that say that the caller made a mistake, such as
// writing in a View. What the disk has to say comes at the commit.
func must(err error) {
	if err != nil {
		panic("store: " + err.Error())
	}
}
