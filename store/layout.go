package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// schema is the version of everything in this file. A file of another version
// is not opened.
const schema = 1

// The buckets of the file.
//
//	about    "schema" -> its version, "state" -> transaction and sum of all
//	records  KIND 0 NAME -> time of creation, value
//	order    KIND 0 TIME NAME -> nothing: the records of a kind, newest first
//	rows     a bucket for each series: NUMBER -> value
//
// Records lie apart from their order, so that going through the names of a
// list reads none of the values.
const (
	bucketAbout   = "about"
	bucketRecords = "records"
	bucketOrder   = "order"
	bucketRows    = "rows"

	keySchema = "schema"
	keyState  = "state"
)

// buckets are those that every file has.
func buckets() []string { return []string{bucketAbout, bucketRecords, bucketOrder, bucketRows} }

// Sizes in bytes of a time, and of a state.
const (
	timeSize  = 8
	stateSize = 16
)

// recordKey is where a record is.
func recordKey(kind Kind, name string) []byte {
	check(kind != "" && name != "" && !strings.Contains(string(kind), "\x00"), "no record can be called %q %q", kind, name)
	return append(prefix(kind), name...)
}

// orderKey is where a record is listed.
func orderKey(kind Kind, created [timeSize]byte, name string) []byte {
	return append(append(prefix(kind), created[:]...), name...)
}

// prefix begins the keys of a kind.
func prefix(kind Kind) []byte {
	key := make([]byte, 0, 96)
	return append(append(key, kind...), 0)
}

// rowKey is where a row is in its series.
func rowKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// stamp writes a time so that later ones sort lower, to the nanosecond, from
// the year 1678 to 2262.
func stamp(t time.Time) (b [timeSize]byte) {
	binary.BigEndian.PutUint64(b[:], ^(uint64(t.UnixNano()) ^ 1<<63))
	return b
}

// digest stands for a key and its value in the sum of a state. In names the
// bucket: in a series, that of the rows and its own.
func digest(in string, key, value []byte) uint64 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum([]byte(in), castagnoli)
	sum = crc32.Update(sum, castagnoli, key)
	return uint64(crc32.Update(sum, castagnoli, value))
}

// state is what the last commit writes about all there is: which transaction
// it was, and the sum of the digests. Pages say little about themselves, and
// one whose write the disk has lost shows what was there before. It cannot do
// so without being found out here.
func state(tx, sum uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, tx), sum)
}

// sign writes the state that a transaction makes, from that of the one before
// and what the sum has changed by.
func sign(tx *bolt.Tx, change uint64) error {
	about := tx.Bucket([]byte(bucketAbout))
	if last := about.Get([]byte(keyState)); len(last) == stateSize {
		change += binary.BigEndian.Uint64(last[stateSize/2:])
	}
	return about.Put([]byte(keyState), state(uint64(tx.ID()), change))
}

// check panics with a mistake of the caller's: one that no input can make.
func check(ok bool, mistake string, args ...any) {
	if !ok {
		panic("store: " + fmt.Sprintf(mistake, args...))
	}
}
