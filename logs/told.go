package logs

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"runnel/logs/servicelog"
	"runnel/runtime/logfile"
)

// ownLog is one of the logs that a service or a worker pool has itself.
func (s *served) ownLog(dir string, kind servicelog.Kind) *log {
	id := servicelog.ID(s.owner, kind)
	file := logfile.Path(dir, id)
	from, _, ok := logSpan(file)
	if !ok || from.Before(s.from) {
		from = s.from
	}
	x := &log{
		id: id, from: from.Add(-slack), until: forever, since: s.from.Add(-slack),
		of: sync.OnceValue(func() subject { return s.subject("") }),
		// That the oldest ones are gone is what everybody expects.
		reader: reader{path: file, quiet: true},
		place:  key{time: firstKey.time, instance: id},
		tell:   s.request,
	}
	if kind == servicelog.System {
		x.tell, x.system = s.event, true
	}
	return x
}

// httpRequest is the part of an entry that tells of a request.
// Source: Cloud Logging API v2, HttpRequest.
type httpRequest struct {
	RequestMethod string `json:"requestMethod"`
	RequestURL    string `json:"requestUrl"`
	RequestSize   string `json:"requestSize,omitempty"`
	Status        int    `json:"status"`
	ResponseSize  string `json:"responseSize,omitempty"`
	UserAgent     string `json:"userAgent,omitempty"`
	RemoteIP      string `json:"remoteIp,omitempty"`
	ServerIP      string `json:"serverIp,omitempty"`
	Referer       string `json:"referer,omitempty"`
	Latency       string `json:"latency"`
	Protocol      string `json:"protocol,omitempty"`
}

// request makes the entry of a request.
func (s *served) request(e *Entry, h *line) bool {
	var r servicelog.Request
	if h.Stream != servicelog.RequestStream || json.Unmarshal(h.Text, &r) != nil {
		return false
	}
	of := s.subject(r.Revision)
	e.LogName = logName(of.project, logRequests)
	e.Resource = of.resource
	e.Timestamp = r.Time.UTC()
	e.Severity = r.Severity
	if e.Severity == "" {
		e.Severity = statusSeverity(r.Status)
	}
	if r.Instance != "" {
		e.Labels = map[string]string{labelInstance: r.Instance}
	}
	if r.TraceID != "" {
		e.Trace = "projects/" + of.project + "/traces/" + r.TraceID
		e.SpanID, e.TraceSampled = r.SpanID, r.Sampled
	}
	if r.Text != "" {
		e.setText(r.Text)
	}
	var err error
	e.HTTPRequest, err = json.Marshal(httpRequest{
		RequestMethod: r.Method, RequestURL: r.URL, RequestSize: size64(r.RequestSize), Status: r.Status,
		ResponseSize: size64(r.ResponseSize), UserAgent: r.UserAgent, RemoteIP: r.RemoteIP, ServerIP: r.ServerIP,
		Referer: r.Referer, Latency: seconds(r.Latency), Protocol: r.Protocol,
	})
	return err == nil
}

// statusSeverity is how bad an answer is.
// Source: observed entries of run.googleapis.com/requests.
func statusSeverity(status int) string {
	switch {
	case status >= 500:
		return severityError
	case status >= 400:
		return severityWarning
	}
	return severityInfo
}

// size64 writes a number as JSON has one of 64 bits; none for 0.
func size64(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// seconds writes a duration as JSON has it: with 0, 3, 6 or 9 decimals.
// Source: protobuf, JSON mapping of Duration.
func seconds(d time.Duration) string {
	text := strconv.FormatFloat(d.Seconds(), 'f', 9, 64)
	for range 3 {
		text = strings.TrimSuffix(text, "000")
	}
	return strings.TrimSuffix(text, ".") + "s"
}

// event makes the entry of something said of an instance.
func (s *served) event(e *Entry, h *line) bool {
	var v servicelog.Event
	if h.Stream != servicelog.EventStream || json.Unmarshal(h.Text, &v) != nil {
		return false
	}
	of := s.subject(v.Revision)
	e.LogName = logName(of.project, logID(logfile.System))
	e.Resource = of.resource
	if !v.Time.IsZero() {
		e.Timestamp = v.Time.UTC()
	}
	if v.Severity != "" {
		e.Severity = v.Severity
	}
	labels := make(map[string]string)
	if id := s.ids[v.Instance]; id != "" {
		labels[labelInstance] = id
	}
	if v.Container != "" {
		labels[labelContainer] = v.Container
	}
	e.Labels = labels
	e.setText(v.Text)
	return true
}
