package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
)

// maxPage bounds a page, in bytes: it ends early rather than exceed that.
const maxPage = 8 << 20

// page is a page of a list in the making.
type page struct {
	query  query
	size   int
	newest bool // first
	// text makes every payload a text.
	text bool

	entries []json.RawMessage
	places  []key
	bytes   int
	// more says that there may be another page, behind last.
	more bool
	last key
}

// read fills the page.
func (p *page) read(ctx context.Context, l *Logs, groups []group) (err error) {
	if p.newest {
		if p.query.from, err = l.newest(ctx, groups, p.query, p.size); err != nil {
			return err
		}
	}
	m := newMerge(l, groups, p.query.task)
	for !p.full() {
		x, err := m.next(ctx)
		if err != nil {
			return err
		}
		if x == nil || !x.place.before(p.query.before) {
			break
		}
		if err := p.one(m, x); err != nil {
			return err
		}
	}
	p.end()
	return nil
}

// full reports whether nothing more is wanted; of the newest the last are.
func (p *page) full() bool { return !p.newest && (len(p.entries) == p.size || p.bytes > maxPage) }

// one adds the next entry of x, if it is wanted.
func (p *page) one(m *merge, x *log) error {
	if p.query.skips(x) {
		return m.pass(x)
	}
	place := x.place
	e, err := m.take(x)
	if err != nil || !p.query.wants(&e) {
		return err
	}
	if p.text {
		e.plain()
	}
	var b bytes.Buffer
	if err := encode(&b, &e); err != nil {
		return err
	}
	p.entries, p.places = append(p.entries, b.Bytes()), append(p.places, place)
	p.bytes += b.Len()
	for p.newest && len(p.entries) > 1 && (len(p.entries) > p.size || p.bytes > maxPage) {
		p.bytes -= len(p.entries[0])
		p.entries, p.places = p.entries[1:], p.places[1:]
		p.more = true
	}
	return nil
}

// end puts the entries in order and notes where the next page begins.
func (p *page) end() {
	p.more = p.more || p.full() || len(p.entries) == p.size
	if len(p.entries) == 0 {
		p.more = false
		return
	}
	p.last = p.places[len(p.places)-1]
	if p.newest {
		p.last = p.places[0]
		slices.Reverse(p.entries)
	}
}
