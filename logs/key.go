package logs

import (
	"cmp"
	"math"
	"strings"
	"time"
)

// key is an entry's place among all others. The keys of one log rise, also
// where the clock was set back.
type key struct {
	// time is when the entry was read from its instance, or that of the entry
	// before it if that is later: nanoseconds since 1970.
	time int64
	// instance is the ID of the instance it comes from.
	instance string
	// offset counts the bytes of the log before it.
	offset int64
	// note counts the entries at that offset which are not in the log.
	note int
}

// The keys before and behind all others.
var (
	firstKey = key{time: math.MinInt64}
	lastKey  = key{time: math.MaxInt64}
)

// at is the key before all entries of a time or later.
func at(t time.Time) key {
	if t.IsZero() {
		return firstKey
	}
	return key{time: t.UnixNano()}
}

func (k key) compare(other key) int {
	return cmp.Or(
		cmp.Compare(k.time, other.time),
		strings.Compare(k.instance, other.instance),
		cmp.Compare(k.offset, other.offset),
		cmp.Compare(k.note, other.note),
	)
}

func (k key) before(other key) bool { return k.compare(other) < 0 }
