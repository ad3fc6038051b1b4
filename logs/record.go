package logs

import (
	"encoding/json"
	"iter"
	"strings"

	"runnel/logs/filter"
)

// schema is what entries can be filtered by.
func schema() filter.Schema {
	return filter.Schema{
		Kind: kindOf,
		Level: func(word string) (int, bool) {
			name, ok := parseSeverity(word)
			return weigh(name), ok
		},
	}
}

// kindOf is what the field of an entry at a path holds.
func kindOf(path []string) (filter.Kind, bool) {
	switch {
	case path[0] == "jsonPayload", path[0] == "httpRequest", path[0] == "operation", path[0] == "sourceLocation":
		return filter.JSON, true
	case len(path) > 2 && path[0] == "resource" && path[1] == "labels", len(path) > 1 && path[0] == "labels":
		return filter.Text, true
	case len(path) == 2 && path[0] == "resource" && path[1] == "type":
		return filter.Text, true
	case len(path) > 1:
		return 0, false
	}
	switch path[0] {
	case "logName", "insertId", "textPayload", "trace", "spanId":
		return filter.Text, true
	case "timestamp", "receiveTimestamp":
		return filter.Time, true
	case "severity":
		return filter.Level, true
	case "traceSampled":
		return filter.JSON, true
	}
	return 0, false
}

// record is an entry that is filtered.
type record struct{ *Entry }

// Field implements filter.Record.
func (r record) Field(path []string) any {
	switch path[0] {
	case "logName":
		return r.LogName
	case "insertId":
		return r.InsertID
	case "textPayload":
		if r.TextPayload == nil {
			return nil
		}
		return *r.TextPayload
	case "trace":
		return r.Trace
	case "spanId":
		return r.SpanID
	case "traceSampled":
		return r.TraceSampled
	case "timestamp":
		return r.Timestamp
	case "receiveTimestamp":
		return r.ReceiveTimestamp
	case "severity":
		return weigh(r.Severity)
	case "labels":
		return label(r.Labels, path[1:])
	case "resource":
		if path[1] == "type" {
			return r.Resource.Type
		}
		return label(r.Resource.Labels, path[2:])
	case "jsonPayload":
		return inside(r.JSONPayload, path[1:])
	}
	return r.raw(path)
}

// raw is the value of a field inside one that this package does not look into.
func (r record) raw(path []string) any {
	raw := map[string]json.RawMessage{
		"httpRequest": r.HTTPRequest, "operation": r.Operation, "sourceLocation": r.SourceLocation,
	}[path[0]]
	if len(raw) == 0 || len(path) == 1 {
		return value(raw)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	return inside(fields, path[1:])
}

// inside is the value at a path inside an object.
func inside(fields map[string]json.RawMessage, path []string) any {
	if len(path) == 0 {
		if fields == nil {
			return nil
		}
		return json.RawMessage("{}") // it is there, which is all that can be asked
	}
	raw := fields[path[0]]
	for _, name := range path[1:] {
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) != nil {
			return nil
		}
		raw = inner[name]
	}
	return value(raw)
}

// value is nil for no value.
func value(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

// label is the value of the label at the end of a path; dots are part of its
// name.
func label(labels map[string]string, path []string) any {
	if v, ok := labels[strings.Join(path, ".")]; ok {
		return v
	}
	return nil
}

// Texts implements filter.Record.
func (r record) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		if r.TextPayload != nil && !yield(*r.TextPayload) {
			return
		}
		for _, text := range []string{r.Severity, r.LogName, r.InsertID, r.Trace, string(r.HTTPRequest)} {
			if !yield(text) {
				return
			}
		}
		for _, labels := range []map[string]string{r.Labels, r.Resource.Labels} {
			for _, text := range labels {
				if !yield(text) {
					return
				}
			}
		}
		for name, raw := range r.JSONPayload {
			if !yield(name) || !yield(string(raw)) {
				return
			}
		}
	}
}
