package control

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/store"
)

// Sizes of pages.
const (
	defaultPageSize = 100
	maxPageSize     = 1000
)

// Query asks for a page of a list.
type Query[M any] struct {
	// Parent is the full name of what the list is in. Parts of it but the
	// project may be "-".
	Parent string
	// PageSize is how many resources to return at most: 100 if 0, and never
	// more than 1,000.
	PageSize int
	// PageToken is what came with the page before; empty for the first one. It
	// is good for the same Parent and Text only.
	PageToken string
	// Match says which resources are in the list; nil for all. Text is what it
	// means, for the token.
	Match func(M) bool
	Text  string
}

// size is how many resources the page has at most.
func (q Query[M]) size() (int, error) {
	switch {
	case q.PageSize < 0:
		return 0, violation("pageSize", "%d is not a number of resources", q.PageSize)
	case q.PageSize == 0:
		return defaultPageSize, nil
	}
	return min(q.PageSize, maxPageSize), nil
}

// place is where a page begins.
type place struct {
	// after is the last record of the page before.
	after store.Cursor
	// index is the first task, in a list of tasks: of the record behind after.
	index int
}

// token writes where the next page begins.
func (q Query[M]) token(kind store.Kind, p place) string {
	text := q.mark(kind) + " " + strconv.Itoa(p.index) + " " + string(p.after)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// begin reads where the page begins.
func (q Query[M]) begin(kind store.Kind) (p place, err error) {
	if q.PageToken == "" {
		return p, nil
	}
	wrong := violation("pageToken", "the token belongs to no list like this one: want the nextPageToken of a call with the same parent and filter")
	text, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	parts := strings.SplitN(string(text), " ", 3)
	if err != nil || len(parts) != 3 || parts[0] != q.mark(kind) {
		return p, wrong
	}
	p.index, err = strconv.Atoi(parts[1])
	p.after = store.Cursor(parts[2])
	if err != nil || p.index < 0 || !p.after.Valid() {
		return p, wrong
	}
	return p, nil
}

// mark binds a token to its list.
func (q Query[M]) mark(kind store.Kind) string {
	sum := sha256.Sum256([]byte(string(kind) + "\n" + q.Parent + "\n" + q.Text))
	return hex.EncodeToString(sum[:8])
}

// found is a record of a list, read from the store.
type found struct {
	name   string
	cursor store.Cursor
	// value is the record, note the one that belongs to it, if it has one.
	value []byte
	note  note
}

// scan reads up to n records of a kind, behind a cursor, whose names lie below
// parent.
func (c *Control) scan(kind store.Kind, parent name, after store.Cursor, n int) (all []found, err error) {
	err = c.view(func(tx *store.Tx) error {
		for e := range listed(tx, kind, parent, after) {
			if !parent.holds(e.Name) {
				continue
			}
			f := found{name: e.Name, cursor: e.Cursor, value: slices.Clone(e.Value())}
			if kind == kindExecutions {
				f.note = getNote(tx, e.Name)
			}
			if all = append(all, f); len(all) == n {
				break
			}
		}
		return nil
	})
	return all, err
}

// listed are the records of a kind behind a cursor, the newest first, among them
// all those below parent. Where parent is one job, or one execution, hardly any
// other is looked at.
func listed(tx *store.Tx, kind store.Kind, parent name, after store.Cursor) iter.Seq[store.Entry] {
	if kind != kindExecutions || parent.depth < atJob || parent.wild() {
		return tx.Newest(kind, after)
	}
	begin := parent.String()
	if parent.depth == atJob {
		begin += "/"
	}
	var own []store.Entry
	for e := range tx.Under(kind, begin) {
		if e.Cursor > after {
			own = append(own, e)
		}
	}
	slices.SortFunc(own, func(a, b store.Entry) int { return cmp.Compare(a.Cursor, b.Cursor) })
	return slices.Values(own)
}

// page reads a page of the records of a kind below parent; show turns a record
// into the resource. What is gone by then is left out.
func page[M any](c *Control, kind store.Kind, parent name, q Query[M], show func(found) (M, error)) (items []M, next string, err error) {
	size, err := q.size()
	if err != nil {
		return nil, "", err
	}
	p, err := q.begin(kind)
	if err != nil {
		return nil, "", err
	}
	for {
		// One more than needed tells whether there is another page.
		records, err := c.scan(kind, parent, p.after, size+1)
		if err != nil {
			return nil, "", err
		}
		for _, f := range records {
			m, err := show(f)
			if status.Code(err) == codes.NotFound || err == nil && q.Match != nil && !q.Match(m) {
				p.after = f.cursor
				continue
			}
			if err != nil {
				return nil, "", err
			}
			if len(items) == size {
				return items, q.token(kind, p), nil
			}
			items, p.after = append(items, m), f.cursor
		}
		if len(records) <= size {
			return items, "", nil
		}
	}
}
