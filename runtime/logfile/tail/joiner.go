package tail

import (
	"maps"
	"slices"

	"runnel/runtime/logfile"
)

// joiner puts the parts of long lines together, each stream by itself, and
// hands the lines on. A line longer than logfile.MaxLine goes on in pieces.
type joiner struct {
	emit  func(logfile.Entry)
	parts map[string]*logfile.Entry // by stream; Text is the joiner's own
}

// add takes the next entry of the log.
func (j *joiner) add(e logfile.Entry) {
	held := j.parts[e.Stream]
	if held == nil && !e.Partial {
		j.emit(e) // nearly always
		return
	}
	if held != nil && len(held.Text)+len(e.Text) > logfile.MaxLine {
		held.Partial = true
		j.emit(*held)
		held = nil
	}
	if held == nil {
		own := e
		own.Text = append([]byte(nil), e.Text...)
		held = &own
	} else {
		held.Text = append(held.Text, e.Text...)
		held.Partial = e.Partial
	}
	if held.Partial {
		j.hold(e.Stream, held)
		return
	}
	delete(j.parts, e.Stream)
	j.emit(*held)
}

func (j *joiner) hold(stream string, e *logfile.Entry) {
	if j.parts == nil {
		j.parts = make(map[string]*logfile.Entry)
	}
	j.parts[stream] = e
}

// flush hands on lines whose end was never written.
func (j *joiner) flush() {
	for _, stream := range slices.Sorted(maps.Keys(j.parts)) {
		j.emit(*j.parts[stream])
		delete(j.parts, stream)
	}
}
