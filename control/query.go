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
	// maxPageBytes is how much of what is stored a page shows, however few
	// resources that is: jobs of megabytes may be asked for by the thousand.
	maxPageBytes = 3 << 20
)

// Query asks for a page of a list.
type Query[M any] struct {
	// Parent is the full name of what the list is in. Parts of it but the
	// project may be "-".
	Parent string
	// PageSize is how many resources to return at most: 100 if 0, and never
	// more than 1,000. Of very large ones a page has fewer.
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
// parent: fewer, but at least one, where they are very large. There may be more
// of them then.
func (c *Control) scan(kind store.Kind, parent name, after store.Cursor, n int) (all []found, more bool, err error) {
	err = c.view(func(tx *store.Tx) error {
		read := 0
		for e := range listed(tx, kind, parent, after) {
			if !parent.holds(e.Name) {
				continue
			}
			f := found{name: e.Name, cursor: e.Cursor, value: slices.Clone(e.Value())}
			if kind == kindExecutions {
				f.note = getNote(tx, e.Name)
			}
			all, read = append(all, f), read+len(f.value)
			if more = len(all) == n || read > maxPageBytes; more {
				break
			}
		}
		return nil
	})
	return all, more, err
}

// named are the names of up to n records of a kind that lie below parent.
func (c *Control) named(kind store.Kind, parent name, n int) (all []name, err error) {
	err = c.view(func(tx *store.Tx) error {
		for e := range tx.Newest(kind, "") {
			if parent.holds(e.Name) {
				all = append(all, split(e.Name))
			}
			if len(all) == n {
				break
			}
		}
		return nil
	})
	return all, err
}

// listed are the records of a kind behind a cursor, the newest first, among them
// all those below parent. Where parent is one job, service, worker pool or
// execution, hardly any other is looked at.
func listed(tx *store.Tx, kind store.Kind, parent name, after store.Cursor) iter.Seq[store.Entry] {
	if kind != kindExecutions && kind != kindRevisions || parent.at == atLocation || parent.wild() {
		return tx.Newest(kind, after)
	}
	begin := parent.String()
	if parent.at == atJob || parent.at == atService || parent.at == atWorkerPool {
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
	for shown := 0; ; {
		// One more than needed tells whether there is another page.
		records, more, err := c.scan(kind, parent, p.after, size+1)
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
			shown += len(f.value)
			if len(items) == size || len(items) > 0 && shown > maxPageBytes {
				return items, q.token(kind, p), nil
			}
			items, p.after = append(items, m), f.cursor
		}
		if !more {
			return items, "", nil
		}
	}
}
