package logs

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// origin is what all entries of an execution have in common.
type origin struct {
	project, job, execution string
	uid, container          string
	resource                Resource
	timeout                 time.Duration
	memory                  contract.Bytes
}

func newOrigin(x *runpb.Execution) *origin {
	parts := strings.Split(x.GetName(), "/")
	template := x.GetTemplate()
	o := &origin{
		project: parts[1], job: path.Base(x.GetJob()), execution: path.Base(x.GetName()),
		uid: x.GetUid(), timeout: template.GetTimeout().AsDuration(), memory: contract.DefaultMemory,
	}
	o.resource = Resource{resourceType, map[string]string{"project_id": o.project, "location": parts[3], "job_name": o.job}}
	o.container = o.job + "-1"
	if all := template.GetContainers(); len(all) > 0 {
		if all[0].GetName() != "" {
			o.container = all[0].GetName()
		}
		if memory, err := contract.ParseBytes(all[0].GetResources().GetLimits()["memory"]); err == nil {
			o.memory = memory
		}
	}
	return o
}

// log is the log of one instance: what it has printed and what there is to say
// about it, as entries in their order. Not safe for concurrent use.
type log struct {
	id            string
	task, attempt int
	// from and until are times that no entry is earlier or later than.
	from, until time.Time
	// over says that nothing is added any more.
	over bool
	// notes are what is not in the file, the earliest first.
	notes []note

	origin *origin
	labels map[string]string // made by label
	reader reader
	// head is the line to come next, nil if there is none yet, and place its key.
	head  *line
	place key
}

// newLog is the log of an attempt, in the directory dir.
func newLog(dir string, o *origin, id string, task, attempt int) *log {
	return &log{
		id: id, task: task, attempt: attempt, origin: o,
		reader: reader{path: logfile.Path(dir, id)},
		place:  key{time: firstKey.time, instance: id},
	}
}

// label are the labels of all entries. Most logs are never asked for them.
func (l *log) label() map[string]string {
	if l.labels == nil {
		l.labels = map[string]string{
			labelInstance:  scheduler.PublicID(l.origin.uid, l.id),
			labelContainer: l.origin.container,
			labelExecution: l.origin.execution,
			labelTask:      strconv.Itoa(l.task),
			labelAttempt:   strconv.Itoa(l.attempt),
		}
	}
	return l.labels
}

// next makes the next line the head. It reports whether there is one by now.
func (l *log) next() (bool, error) {
	if l.head == nil {
		if err := l.read(); err != nil {
			return false, err
		}
	}
	switch {
	case len(l.notes) > 0 && (l.head == nil && l.over || l.head != nil && l.notes[0].at.Before(l.head.Time)):
		l.place.note++
		l.place.time = max(l.place.time, l.notes[0].at.UnixNano())
		return true, nil
	case l.head != nil:
		l.place.note, l.place.offset = 0, l.head.offset
		l.place.time = max(l.place.time, l.head.Time.UnixNano())
		return true, nil
	}
	return false, nil
}

// read reads the head.
func (l *log) read() error {
	l.reader.over = l.over
	head, ok, err := l.reader.take()
	if err != nil {
		return err
	}
	if !ok && l.over {
		head, ok = l.reader.flush()
	}
	if ok {
		l.head = &head
	}
	return nil
}

// isNote reports whether what comes next, after next, is a note.
func (l *log) isNote() bool { return l.place.note > 0 }

// take turns what comes next, after next, into an entry.
func (l *log) take() Entry {
	e := Entry{Resource: l.origin.resource, Labels: l.label(), Severity: severityDefault}
	e.InsertID = fmt.Sprintf("%s-%x", l.id, l.place.offset)
	if l.isNote() {
		n := l.notes[0]
		l.notes = l.notes[1:]
		e.InsertID += fmt.Sprintf("-%d", l.place.note)
		e.LogName = logName(l.origin.project, logID(logfile.System))
		e.Timestamp, e.ReceiveTimestamp = n.at.UTC(), n.at.UTC()
		e.Severity = n.severity
		e.setText(n.text)
		return e
	}
	h := l.head
	l.head = nil
	e.LogName = logName(l.origin.project, logID(h.Stream))
	e.Timestamp, e.ReceiveTimestamp = h.Time, h.Time
	if h.Stream == logfile.System {
		e.Severity = severityWarning // what the log could not take
	}
	if !lift(&e, l.origin.project, h.Text) {
		e.setText(string(h.Text))
	}
	return e
}

// drop passes over what comes next.
func (l *log) drop() {
	if l.isNote() {
		l.notes = l.notes[1:]
		return
	}
	l.head = nil
}
