package store

import (
	"encoding/binary"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// PutRow writes row n of a series, whether there was one or not. The value may
// be used again when PutRow has returned.
func (tx *Tx) PutRow(series string, n uint32, value []byte) {
	tx.writes++
	rows, err := tx.bucket(bucketRows).CreateBucketIfNotExists([]byte(series))
	must(err)
	key := rowKey(n)
	tx.swap(rows, rowsOf(series), key, rows.Get(key), append([]byte{}, value...))
}

// Rows lists the rows of a series that are there, by their numbers. Values must
// not be changed, and are good until the transaction ends. The transaction may
// be written to on the way.
func (tx *Tx) Rows(series string) iter.Seq2[uint32, []byte] { return tx.RowsFrom(series, 0) }

// RowsFrom is like Rows, for row n and those behind it.
func (tx *Tx) RowsFrom(series string, n uint32) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		rows := tx.series(series)
		if rows == nil {
			return
		}
		c, seen := rows.Cursor(), tx.writes
		for key, value := c.Seek(rowKey(n)); key != nil; {
			if !yield(binary.BigEndian.Uint32(key), value) {
				return
			}
			if tx.writes == seen {
				key, value = c.Next()
				continue
			}
			if rows = tx.series(series); rows == nil {
				return
			}
			c, seen = rows.Cursor(), tx.writes
			key, value = behind(c, key)
		}
	}
}

// DeleteSeries removes all rows of a series. There may be none.
func (tx *Tx) DeleteSeries(series string) {
	if tx.series(series) == nil {
		return
	}
	tx.writes++
	in := rowsOf(series)
	for n, value := range tx.Rows(series) {
		tx.sum -= digest(in, rowKey(n), value)
	}
	must(tx.bucket(bucketRows).DeleteBucket([]byte(series)))
}

// series is the bucket of a series, nil if it has no rows.
func (tx *Tx) series(name string) *bolt.Bucket {
	if name == "" {
		return nil
	}
	return tx.bucket(bucketRows).Bucket([]byte(name))
}

// rowsOf is where the rows of a series are, in words.
func rowsOf(series string) string { return bucketRows + "/" + series }
