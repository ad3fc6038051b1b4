package store

import (
	"bytes"
	"encoding/hex"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// Cursor is a place in a list: that of one entry, also when the entry is gone.
// The empty Cursor is the beginning, and what comes later in a list has a greater
// one. It is text if names are, stays good when the store is opened again, and
// should not be read.
type Cursor string

// cursorTime is how many digits of a cursor are the time of creation.
const cursorTime = 2 * timeSize

// cursor is the place of the record called name, as created as b says.
func cursor(b []byte, name string) Cursor { return Cursor(hex.EncodeToString(b) + name) }

// Valid reports whether a list can be continued at c.
func (c Cursor) Valid() bool {
	_, _, ok := c.parse()
	return c == "" || ok
}

// parse takes a cursor apart.
func (c Cursor) parse() (created [timeSize]byte, name string, ok bool) {
	if len(c) <= cursorTime {
		return created, "", false
	}
	_, err := hex.Decode(created[:], []byte(c[:cursorTime]))
	return created, string(c[cursorTime:]), err == nil
}

// Entry is a record in a list. It is good until the transaction ends.
type Entry struct {
	// Name is the record's name.
	Name string
	// Cursor is the record's place in the list.
	Cursor Cursor

	tx   *Tx
	kind Kind
}

// Value reads the record, as Get does.
func (e Entry) Value() []byte { return e.tx.Get(e.kind, e.Name) }

// Newest lists the records of a kind that come after a cursor, the newest
// first, those of the same time by name. A page that begins after the last
// entry of the page before shows no record twice and leaves none out, whatever
// was added and removed in between. It is cheap where only names are looked at.
// The transaction may be written to on the way, and the record listed last
// removed. After a Cursor that is not valid comes nothing.
func (tx *Tx) Newest(kind Kind, after Cursor) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		all := prefix(kind)
		from := all
		if after != "" {
			created, name, ok := after.parse()
			if !ok {
				return
			}
			from = orderKey(kind, created, name)
		}
		c, seen := tx.bucket(bucketOrder).Cursor(), tx.writes
		for key, _ := behind(c, from); bytes.HasPrefix(key, all); {
			own := key[len(all):]
			name := string(own[timeSize:])
			if !yield(Entry{Name: name, Cursor: cursor(own[:timeSize], name), tx: tx, kind: kind}) {
				return
			}
			if tx.writes == seen {
				key, _ = c.Next()
				continue
			}
			c, seen = tx.bucket(bucketOrder).Cursor(), tx.writes
			key, _ = behind(c, key)
		}
	}
}

// Under lists the records of a kind whose names begin with the text given, which
// is not empty, by name: as cheaply as if there were no others. The transaction
// may be written to on the way, and the record listed last removed.
func (tx *Tx) Under(kind Kind, begin string) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		all := recordKey(kind, begin)
		c, seen := tx.bucket(bucketRecords).Cursor(), tx.writes
		for key, record := c.Seek(all); bytes.HasPrefix(key, all); {
			name := string(key[len(kind)+1:])
			if !yield(Entry{Name: name, Cursor: cursor(record[:timeSize], name), tx: tx, kind: kind}) {
				return
			}
			if tx.writes == seen {
				key, record = c.Next()
				continue
			}
			c, seen = tx.bucket(bucketRecords).Cursor(), tx.writes
			key, record = behind(c, recordKey(kind, name))
		}
	}
}

// behind moves c to the first key above the given one.
func behind(c *bolt.Cursor, key []byte) (k, v []byte) {
	if k, v = c.Seek(key); bytes.Equal(k, key) {
		return c.Next()
	}
	return k, v
}
