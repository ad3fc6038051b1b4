package logs

import (
	"maps"
	"slices"

	"runnel/runtime/logfile"
)

// joiner puts the parts of long lines together, each stream by itself. A line
// longer than logfile.MaxLine goes on in pieces. The zero value is ready.
type joiner struct {
	// parts are the beginnings of lines, by stream; their text is the joiner's.
	parts map[string]*line
	// ready are lines to be taken: two at most.
	ready []line
}

// add takes the next part of a log.
func (j *joiner) add(l line) {
	held := j.parts[l.Stream]
	if held == nil && !l.Partial {
		j.ready = append(j.ready, l) // nearly always
		return
	}
	if held != nil && len(held.Text)+len(l.Text) > logfile.MaxLine {
		j.ready = append(j.ready, *held)
		held = nil
	}
	if held == nil {
		own := l
		own.Text = slices.Clone(l.Text)
		held = &own
	} else {
		held.Text = append(held.Text, l.Text...)
		held.Partial = l.Partial
	}
	if !held.Partial {
		delete(j.parts, l.Stream)
		j.ready = append(j.ready, *held)
		return
	}
	if j.parts == nil {
		j.parts = make(map[string]*line)
	}
	j.parts[l.Stream] = held
}

// take returns the next line that is complete. Its text is good until the next
// add.
func (j *joiner) take() (line, bool) {
	if len(j.ready) == 0 {
		return line{}, false
	}
	l := j.ready[0]
	if j.ready = j.ready[1:]; len(j.ready) == 0 {
		j.ready = nil
	}
	return l, true
}

// flush returns a line whose end was never written, if there is one.
func (j *joiner) flush() (line, bool) {
	for _, stream := range slices.Sorted(maps.Keys(j.parts)) {
		l := *j.parts[stream]
		delete(j.parts, stream)
		return l, true
	}
	return line{}, false
}
