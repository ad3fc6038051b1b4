package ingress

import "time"

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
