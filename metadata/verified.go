package metadata

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// maxVerified is how many tokens are kept before those that have not been seen
// for longest are forgotten: a half of them at least stays known.
const maxVerified = 8192

// verifiedToken is what is known of a token that was found good.
type verifiedToken struct {
	email   string
	expires time.Time
}

// digest stands for a token and the audiences that it was asked to be for.
type digest [sha256.Size]byte

// verified remembers good tokens, so that one that comes with every request
// costs a hash. It has two generations: the new one becomes the old one when it
// is full, and what is found in the old one moves into the new one. The zero
// value is empty.
type verified struct {
	mu       sync.Mutex               // guards both
	new, old map[digest]verifiedToken // at most maxVerified/2 each
}

// verifiedKey stands for a question.
func verifiedKey(token string, audiences []string) digest {
	text := binary.LittleEndian.AppendUint32(make([]byte, 0, 2048), uint32(len(audiences)))
	for _, a := range audiences {
		text = binary.LittleEndian.AppendUint32(text, uint32(len(a)))
		text = append(text, a...)
	}
	return sha256.Sum256(append(text, token...))
}

// find is whose token one was found to be, if it is still good.
func (v *verified) find(key digest, now time.Time) (email string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, ok := v.new[key]
	if !ok {
		if t, ok = v.old[key]; ok {
			v.put(key, t)
		}
	}
	return t.email, ok && now.Before(t.expires)
}

// keep remembers a token.
func (v *verified) keep(key digest, t verifiedToken) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.put(key, t)
}

// put makes a token one of the new generation. The caller holds mu.
func (v *verified) put(key digest, t verifiedToken) {
	if v.new == nil || len(v.new) >= maxVerified/2 {
		v.old, v.new = v.new, make(map[digest]verifiedToken)
	}
	v.new[key] = t
}
