package filter

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Kind is what a field holds.
type Kind int

// The kinds of fields.
const (
	// Text fields hold a string.
	Text Kind = iota
	// Time fields hold a time.Time.
	Time
	// Level fields hold an int that stands for one of an order of words.
	Level
	// JSON fields hold any value of JSON, as a json.RawMessage, a string or a
	// bool.
	JSON
)

// Schema says what there is to filter.
type Schema struct {
	// Kind is that of the field at a path. It reports whether there is one.
	Kind func(path []string) (Kind, bool)
	// Level is what a word stands for in a field of that kind.
	Level func(word string) (level int, ok bool)
}

// Record is something to be filtered.
type Record interface {
	// Field is the value of the field at a path, of the Go type that its Kind
	// says; nil if the record lacks it.
	Field(path []string) any
	// Texts are the texts that a bare text of a filter is looked for in.
	Texts() iter.Seq[string]
}

// maxLength bounds a filter, in bytes.
// Source: Cloud Logging, "Quotas and limits", length of a query.
const maxLength = 20_000

// Filter is a filter that has been read. It is safe for concurrent use.
type Filter struct{ root node }

// Parse reads a filter; an empty one is true of everything. Errors: ErrInvalid.
func Parse(text string, schema Schema) (*Filter, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("%w: it is longer than %d characters", ErrInvalid, maxLength)
	}
	p := parser{lexer: lexer{text: text}, schema: schema, steps: maxPattern}
	root, err := p.parse()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &Filter{root}, nil
}

// Match reports whether the filter is true of r.
func (f *Filter) Match(r Record) bool { return f.root.match(r) }

// Equal is the value that the text field at a path has in all records that the
// filter is true of, if it says so outright. Case does not count in it.
func (f *Filter) Equal(path ...string) (value string, ok bool) {
	for c := range f.demands() {
		if c.op == "=" && c.kind == Text && slices.Equal(c.path, path) {
			return c.text, true
		}
	}
	return "", false
}

// Bounds are times that the field at a path is neither earlier nor later than
// in all records that the filter is true of, as far as it says so outright; zero
// where it does not.
func (f *Filter) Bounds(path ...string) (from, until time.Time) {
	for c := range f.demands() {
		if c.kind != Time || !slices.Equal(c.path, path) {
			continue
		}
		if strings.ContainsAny(c.op, ">=") && c.op != "!=" && c.op != "<=" && c.time.After(from) {
			from = c.time
		}
		if strings.ContainsAny(c.op, "<=") && c.op != "!=" && c.op != ">=" && (until.IsZero() || c.time.Before(until)) {
			until = c.time
		}
	}
	return from, until
}

// demands are the comparisons that must all be true. Those with any value are
// left out: they say nothing of which.
func (f *Filter) demands() iter.Seq[*comparison] {
	return func(yield func(*comparison) bool) {
		all := []node{f.root}
		for len(all) > 0 {
			n := all[0]
			all = all[1:]
			switch n := n.(type) {
			case and:
				all = append(all, n...)
			case *comparison:
				if !n.any && !yield(n) {
					return
				}
			}
		}
	}
}
