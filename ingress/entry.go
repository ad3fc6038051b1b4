package ingress

import (
	"strings"
	"time"
)

// Entry is one request, as the request log tells of it.
// Source: Cloud Logging API v2, HttpRequest.
type Entry struct {
	// Time is when the request arrived, Latency how long it took until its
	// answer was complete.
	Time    time.Time
	Latency time.Duration

	// Service is the full resource name of the service, Revision the short name
	// of the revision; empty where none was found.
	Service, Revision string
	// Instance is the public ID of the instance that had it; empty if none had.
	Instance string

	Method, URL, Protocol, UserAgent, Referer string
	RemoteIP, ServerIP                        string
	Status                                    int
	// RequestSize and ResponseSize are of headers and bodies together, in bytes.
	RequestSize, ResponseSize int64

	// TraceID is 32 hex digits, SpanID 16.
	TraceID, SpanID string
	Sampled         bool

	// Text says why no instance has answered; empty if one has.
	Text string
	// Severity is that of the entry, such as INFO, WARNING or ERROR.
	Severity string
}

// record tells of a request for a service.
func (x *exchange) record(status int, text string) {
	record := x.door.server.config.Record
	if record == nil || x.entry == nil {
		return
	}
	r := x.r
	e := &Entry{
		Time: x.arrived, Latency: time.Since(x.arrived),
		Service: x.entry.route.Name, Instance: x.instance,
		Method: r.Method, URL: x.url(), Protocol: r.Proto,
		UserAgent: r.Header.Get("User-Agent"), Referer: r.Header.Get("Referer"),
		RemoteIP: x.peer.remote, ServerIP: x.peer.local,
		Status: status, Severity: severityOf(status), Text: text,
		RequestSize: x.result.RequestBytes, ResponseSize: x.result.ResponseBytes,
		TraceID: x.trace.id, SpanID: x.trace.span, Sampled: x.trace.sampled,
	}
	if x.target != nil {
		e.Revision = x.target.Revision
	}
	if text != "" && severityOf(status) == "INFO" {
		// The answer broke off after its status had been sent.
		e.Severity = "ERROR"
	}
	record(e)
}

// url is what the client has asked for, whole.
func (x *exchange) url() string {
	uri := x.r.RequestURI
	if !strings.HasPrefix(uri, "/") {
		uri = x.r.URL.RequestURI()
	}
	return x.door.proto + "://" + x.r.Host + uri
}
