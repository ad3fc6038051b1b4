package logs

import (
	"encoding/json"
	"net/url"
	"time"

	"runnel/runtime/logfile"
)

// Entry is an entry of Cloud Logging, in the JSON form of its API.
// Source: Cloud Logging API v2, LogEntry.
type Entry struct {
	LogName  string   `json:"logName"`
	Resource Resource `json:"resource"`
	// Timestamp is when the entry was made, by its own account if it has one;
	// ReceiveTimestamp is when it was read from the instance.
	Timestamp        time.Time `json:"timestamp"`
	ReceiveTimestamp time.Time `json:"receiveTimestamp"`
	Severity         string    `json:"severity"`
	// InsertID is always the same for the same line.
	InsertID string            `json:"insertId"`
	Labels   map[string]string `json:"labels,omitempty"`
	// TextPayload is a line as it was printed, JSONPayload one that is a JSON
	// object: the other one is nil.
	TextPayload *string                    `json:"textPayload,omitempty"`
	JSONPayload map[string]json.RawMessage `json:"jsonPayload,omitzero"`

	HTTPRequest    json.RawMessage `json:"httpRequest,omitempty"`
	Operation      json.RawMessage `json:"operation,omitempty"`
	SourceLocation json.RawMessage `json:"sourceLocation,omitempty"`
	Trace          string          `json:"trace,omitempty"`
	SpanID         string          `json:"spanId,omitempty"`
	TraceSampled   bool            `json:"traceSampled,omitempty"`
}

// setText makes text the payload.
func (e *Entry) setText(text string) { e.TextPayload, e.JSONPayload = &text, nil }

// plain makes a text of a payload that is none: its message, if it has one.
func (e *Entry) plain() {
	if e.TextPayload != nil || e.JSONPayload == nil {
		return
	}
	var message string
	if raw, ok := e.JSONPayload["message"]; ok && json.Unmarshal(raw, &message) == nil {
		e.setText(message)
		return
	}
	whole, err := json.Marshal(e.JSONPayload)
	if err != nil {
		return // it was read from JSON
	}
	e.setText(string(whole))
}

// Resource is what an entry is about.
type Resource struct {
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
}

// Types of resources.
// Source: Cloud Run, "Monitored resource types".
const (
	jobType     = "cloud_run_job"
	serviceType = "cloud_run_revision"
	poolType    = "cloud_run_worker_pool"
)

// labelPool is a label of resources: the worker pool's name.
// Source: gcloud 528, "run worker-pools logs read".
const labelPool = "worker_pool_name"

// Labels of entries.
// Source: Cloud Run, "Viewing logs".
const (
	labelInstance  = "instanceId"
	labelContainer = "container_name"
	labelExecution = "run.googleapis.com/execution_name"
	labelTask      = "run.googleapis.com/task_index"
	labelAttempt   = "run.googleapis.com/task_attempt"
)

// logRequests is the last part of the name of the log of requests.
// Source: Cloud Run, "Viewing logs".
const logRequests = "run.googleapis.com/requests"

// logID is the last part of the log's name for a stream of an instance.
// Source: Cloud Run, "Viewing logs".
func logID(stream string) string {
	switch stream {
	case logfile.System:
		return "run.googleapis.com/varlog/system"
	case logfile.Syslog:
		return "run.googleapis.com//dev/log"
	}
	return "run.googleapis.com/" + stream
}

// logName is the full name of a log.
func logName(project, id string) string { return "projects/" + project + "/logs/" + url.PathEscape(id) }
