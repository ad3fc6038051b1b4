package logs

import (
	"fmt"
	"time"

	"runnel/runtime/logfile"
)

// subject is what the entries of a log have in common, as far as nothing else is
// said of one.
type subject struct {
	project  string
	resource Resource
	labels   map[string]string
}

// log is one log: what an instance has printed and what there is to say about
// it, or what has happened to a service, as entries in their order. Not safe for
// concurrent use.
type log struct {
	id string
	// from and until are times that no entry is earlier or later than; lines
	// from before since are not of this log.
	from, until, since time.Time
	// over says that nothing is added any more.
	over bool
	// notes are what is not in the file, the earliest first.
	notes []note
	// of says what its entries are about: most logs are never asked for them.
	of func() subject
	// tell makes an entry of a line that nobody has printed, or reports that it
	// is none; nil: all lines were printed. System says that they are of the
	// system log.
	tell   func(*Entry, *line) bool
	system bool

	reader reader
	// head is the line to come next, nil if there is none yet, and place its key.
	head  *line
	place key
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
	for ok && err == nil && head.Time.Before(l.since) {
		head, ok, err = l.reader.take()
	}
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
	of := l.of()
	e := Entry{Resource: of.resource, Labels: of.labels, Severity: severityDefault}
	e.InsertID = fmt.Sprintf("%s-%x", l.id, l.place.offset)
	if l.isNote() {
		n := l.notes[0]
		l.notes = l.notes[1:]
		e.InsertID += fmt.Sprintf("-%d", l.place.note)
		e.LogName = logName(of.project, logID(logfile.System))
		e.Timestamp, e.ReceiveTimestamp = n.at.UTC(), n.at.UTC()
		e.Severity = n.severity
		e.setText(n.text)
		return e
	}
	h := l.head
	l.head = nil
	e.LogName = logName(of.project, logID(h.Stream))
	e.Timestamp, e.ReceiveTimestamp = h.Time, h.Time
	if h.Stream == logfile.System {
		e.Severity = severityWarning // what the log could not take
	}
	switch {
	case l.tell != nil && l.tell(&e, h):
	case l.tell == nil && lift(&e, of.project, h.Text):
	default:
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
