package logs

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// prefix begins the names of fields that are Cloud Logging's own.
const prefix = "logging.googleapis.com/"

// lift makes the payload of e from a line of JSON: the fields that Cloud
// Logging knows become those of the entry, unless they are not what they should
// be, the others are the payload. It reports whether the line is an object.
// Source: Cloud Logging, "Special fields in structured payloads".
func lift(e *Entry, project string, text []byte) bool {
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return false
	}
	var payload map[string]json.RawMessage
	if json.Unmarshal(text, &payload) != nil {
		return false
	}
	l := lifter{payload}
	l.when(e)
	l.what(e)
	l.trace(e, project)
	// An entry that has only a message is a line of text.
	var message string
	if len(payload) == 1 && l.get("message", &message) {
		e.setText(message)
		return true
	}
	e.JSONPayload = payload
	return true
}

// lifter takes fields out of a payload.
type lifter struct{ payload map[string]json.RawMessage }

// get reads a field into v. It reports whether there is one of that kind.
func (l lifter) get(name string, v any) bool {
	raw, ok := l.payload[name]
	return ok && !bytes.Equal(raw, []byte("null")) && json.Unmarshal(raw, v) == nil
}

// take is get for a field that does not stay in the payload.
func (l lifter) take(name string, v any) bool {
	if !l.get(name, v) {
		return false
	}
	delete(l.payload, name)
	return true
}

// object takes a field that is an object.
func (l lifter) object(name string) json.RawMessage {
	raw := l.payload[name]
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	delete(l.payload, name)
	return raw
}

// when takes the time, which has three forms.
func (l lifter) when(e *Entry) {
	var text string
	for _, name := range []string{"time", "timestamp"} {
		if !l.get(name, &text) {
			continue
		}
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			delete(l.payload, name)
			e.Timestamp = t.UTC()
			return
		}
	}
	var parts struct{ Seconds, Nanos *int64 }
	if l.get("timestamp", &parts) && parts.Seconds != nil {
		delete(l.payload, "timestamp")
		if parts.Nanos == nil {
			parts.Nanos = new(int64)
		}
		setUnix(e, *parts.Seconds, *parts.Nanos)
		return
	}
	var seconds, nanos int64
	if l.take("timestampSeconds", &seconds) {
		_ = l.take("timestampNanos", &nanos) // none: a whole second
		setUnix(e, seconds, nanos)
	}
}

// setUnix gives e a time, if one can write that year.
func setUnix(e *Entry, seconds, nanos int64) {
	if t := time.Unix(seconds, nanos).UTC(); t.Year() > 0 && t.Year() < 10000 {
		e.Timestamp = t
	}
}

// what takes the fields that say what the entry is.
func (l lifter) what(e *Entry) {
	var text string
	if l.get("severity", &text) {
		if name, ok := parseSeverity(text); ok {
			e.Severity = name
			delete(l.payload, "severity")
		}
	}
	var labels map[string]string
	if l.take(prefix+"labels", &labels) {
		all := make(map[string]string, len(labels)+len(e.Labels))
		for _, from := range []map[string]string{labels, e.Labels} {
			for name, value := range from {
				all[name] = value
			}
		}
		e.Labels = all
	}
	if l.get(prefix+"insertId", &text) && text != "" {
		e.InsertID = text
		delete(l.payload, prefix+"insertId")
	}
	e.HTTPRequest = l.object("httpRequest")
	e.Operation = l.object(prefix + "operation")
	e.SourceLocation = l.object(prefix + "sourceLocation")
}

// trace takes what says which request the entry belongs to.
func (l lifter) trace(e *Entry, project string) {
	if l.take(prefix+"trace", &e.Trace) && isTraceID(e.Trace) {
		e.Trace = "projects/" + project + "/traces/" + e.Trace
	}
	_ = l.take(prefix+"spanId", &e.SpanID) // as above
	_ = l.take(prefix+"trace_sampled", &e.TraceSampled)
}

// isTraceID reports whether s is the bare ID of a trace.
func isTraceID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
