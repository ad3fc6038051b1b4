package servicelog

import (
	"bytes"
	"encoding/json"
	"time"

	"runnel/ingress"
	"runnel/scheduler/serving"
)

// Names of streams.
const (
	// RequestStream is that of requests, EventStream that of events.
	RequestStream = "request"
	EventStream   = "event"
)

// maxText is the most that is kept of a URL or another text that a client has
// chosen, in bytes.
const maxText = 16 << 10

// Request is a request as it is written down.
type Request struct {
	Time     time.Time     `json:"t"`
	Latency  time.Duration `json:"l"`
	Revision string        `json:"rev,omitempty"`
	Instance string        `json:"in,omitempty"`

	Method       string `json:"m"`
	URL          string `json:"u"`
	Protocol     string `json:"p,omitempty"`
	UserAgent    string `json:"ua,omitempty"`
	Referer      string `json:"ref,omitempty"`
	RemoteIP     string `json:"ip,omitempty"`
	ServerIP     string `json:"sip,omitempty"`
	Status       int    `json:"st"`
	RequestSize  int64  `json:"rq,omitempty"`
	ResponseSize int64  `json:"rs,omitempty"`

	TraceID string `json:"tr,omitempty"`
	SpanID  string `json:"sp,omitempty"`
	Sampled bool   `json:"sa,omitempty"`

	Text     string `json:"x,omitempty"`
	Severity string `json:"sv,omitempty"`
}

// newRequest is what is written down of e.
func newRequest(e *ingress.Entry) Request {
	return Request{
		Time: e.Time, Latency: e.Latency, Revision: e.Revision, Instance: e.Instance,
		Method: cut(e.Method), URL: cut(e.URL), Protocol: e.Protocol, UserAgent: cut(e.UserAgent), Referer: cut(e.Referer),
		RemoteIP: e.RemoteIP, ServerIP: e.ServerIP, Status: e.Status,
		RequestSize: e.RequestSize, ResponseSize: e.ResponseSize,
		TraceID: e.TraceID, SpanID: e.SpanID, Sampled: e.Sampled,
		Text: cut(e.Text), Severity: e.Severity,
	}
}

// cut is the beginning of a text that is too long.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}

// sizeOf is about what an entry holds of memory, in bytes.
func sizeOf(e *ingress.Entry) int {
	const fixed = 400
	return fixed + len(e.URL) + len(e.UserAgent) + len(e.Referer) + len(e.Method) + len(e.Text)
}

// Event is something said of an instance, as it is written down.
type Event struct {
	Time time.Time `json:"t"`
	// Revision is the short name, Instance the ID.
	Revision  string `json:"rev,omitempty"`
	Instance  string `json:"in,omitempty"`
	Container string `json:"c,omitempty"`
	Severity  string `json:"sv,omitempty"`
	Text      string `json:"x"`
}

// newEvent is what is written down of l.
func newEvent(l *serving.Line) Event {
	revision := l.Revision[len(ownerOf(l.Revision)):]
	if len(revision) > len("/revisions/") {
		revision = revision[len("/revisions/"):]
	}
	return Event{
		Time: l.Time, Revision: revision, Instance: l.Instance, Container: l.Container,
		Severity: l.Severity, Text: cut(l.Text),
	}
}

// line adds v to b as a line of JSON. What HTML would have to escape stays as it
// is: six bytes for each would make a line too long for its log.
func line(b []byte, v any) []byte {
	text := bytes.NewBuffer(b)
	j := json.NewEncoder(text)
	j.SetEscapeHTML(false)
	if j.Encode(v) != nil {
		return b // it has no field that JSON has not
	}
	return text.Bytes()
}
