package filter

import (
	"net/url"
	"strings"
)

// node is a part of a filter that is true or false of a record.
type node interface{ match(r Record) bool }

// and is true if all parts are, so also without any.
type and []node

func (n and) match(r Record) bool {
	for _, part := range n {
		if !part.match(r) {
			return false
		}
	}
	return true
}

// or is true if any part is.
type or []node

func (n or) match(r Record) bool {
	for _, part := range n {
		if part.match(r) {
			return true
		}
	}
	return false
}

// not is true if what it has is not.
type not struct{ node }

func (n not) match(r Record) bool { return !n.node.match(r) }

// contains is true if it stands in any text. It is in lower case.
type contains string

func (n contains) match(r Record) bool {
	for text := range r.Texts() {
		if strings.Contains(strings.ToLower(text), string(n)) {
			return true
		}
	}
	return false
}

// logID is true of records of the log with that id.
type logID string

func (n logID) match(r Record) bool {
	name, _ := r.Field([]string{"logName"}).(string)
	return strings.HasSuffix(name, "/logs/"+url.PathEscape(string(n))) || strings.HasSuffix(name, "/logs/"+string(n))
}
