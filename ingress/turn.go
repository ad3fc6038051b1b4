package ingress

import (
	"slices"
	"sort"
)

// turn is the members that have room for a request, the busiest first. Its
// pool's lock guards it, and the place and the active requests of its members.
type turn []*member

// first is the one that is to have the next request; nil if none has room.
func (t turn) first() *member {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}

// below is the first place of a member with fewer than n requests.
func (t turn) below(n int) int {
	return sort.Search(len(t), func(i int) bool { return t[i].active < n })
}

// raise counts one request more for m, which may stand in t or not.
func (t turn) raise(m *member) {
	if m.place > 0 && t[m.place-1].active == m.active {
		t.swap(m.place, t.below(m.active+1))
	}
	m.active++
}

// lower counts one request less for m, which may stand in t or not. Among those
// with as few it comes first: who has been idle for long is to stay so.
func (t turn) lower(m *member) {
	if m.place >= 0 && m.place+1 < len(t) && t[m.place+1].active == m.active {
		t.swap(m.place, t.below(m.active)-1)
	}
	m.active--
}

func (t turn) swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// settle puts m in if it has room, and takes it out if not.
func (t *turn) settle(m *member) {
	switch room := m.room(); {
	case room && m.place < 0:
		i := t.below(m.active + 1)
		*t = slices.Insert(*t, i, m)
		t.number(i)
	case !room && m.place >= 0:
		i := m.place
		*t = slices.Delete(*t, i, i+1)
		m.place = -1
		t.number(i)
	}
}

// number tells the members from place i on where they stand.
func (t turn) number(i int) {
	for ; i < len(t); i++ {
		t[i].place = i
	}
}
