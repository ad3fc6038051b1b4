// Package stages shows how far something has come that goes through stages: on
// a terminal as a list whose marks turn, otherwise as a line for each stage
// that has ended. It writes to standard error only.
package stages

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"runnel/cmd/runnel/cli"
)

// State is how far a stage has come.
type State int

// The states, in the order a stage goes through them; it ends in one of the
// last three.
const (
	Waiting State = iota
	Running
	Done
	Failed
	Interrupted
)

// turn is how often the marks of what is running turn.
const turn = 100 * time.Millisecond

// Tracker shows stages. It is safe for concurrent use; the caller must Close
// it.
type Tracker struct {
	out     io.Writer
	screen  bool
	columns int
	marks   marks
	header  string

	stop    chan struct{}
	turning sync.WaitGroup

	// mu guards what follows.
	mu     sync.Mutex
	stages []stage
	state  State // of all of it
	note   string
	turns  int
	drawn  int // lines on the screen
}

// stage is one line.
type stage struct {
	name, message string
	state         State
}

// New shows the header and the stages under it, none of which has begun.
func New(e cli.Env, header string, names ...string) *Tracker {
	t := &Tracker{
		out: e.Stderr, screen: e.Screen, columns: e.Columns, marks: marksFor(e.Unicode),
		header: header, state: Running, stop: make(chan struct{}),
	}
	for _, name := range names {
		t.stages = append(t.stages, stage{name: name})
	}
	if !t.screen {
		fmt.Fprintln(t.out, header)
		return t
	}
	t.draw()
	t.turning.Go(t.animate)
	return t
}

// animate turns the marks until the tracker is closed.
func (t *Tracker) animate() {
	ticks := time.NewTicker(turn)
	defer ticks.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-ticks.C:
			t.mu.Lock()
			t.turns++
			t.draw()
			t.mu.Unlock()
		}
	}
}

// Set changes the stage of an index, and what is said about it.
func (t *Tracker) Set(index int, state State, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.stages[index]
	if s.state == state && s.message == message {
		return
	}
	before := s.state
	s.state, s.message = state, message
	switch {
	case t.screen:
		t.draw()
	case before != state && state >= Done:
		fmt.Fprintln(t.out, plainLine(*s))
	}
}

// Note says something about the whole of it, where it can be taken back: on a
// screen.
func (t *Tracker) Note(message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note = message
	if t.screen {
		t.draw()
	}
}

// Close ends all stages that run as the whole of it has ended, Done, Failed or
// Interrupted, and says so with word, such as "Done.".
func (t *Tracker) Close(state State, word string) {
	close(t.stop)
	t.turning.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state, t.note = state, ""
	for i := range t.stages {
		if t.stages[i].state == Running {
			if t.stages[i].state = state; state == Failed {
				t.stages[i].state = Interrupted // not the one that failed
			}
		}
	}
	if t.screen {
		t.draw()
	}
	fmt.Fprintln(t.out, word)
}

// draw shows everything on a screen, over what was shown before. t.mu is held,
// or nobody else knows t yet.
func (t *Tracker) draw() {
	var b strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.drawn)
	}
	t.drawLine(&b, t.marks.of(t.state, t.turns)+" "+t.line(stage{name: t.header, message: t.note}))
	for _, s := range t.stages {
		t.drawLine(&b, "  "+t.marks.of(s.state, t.turns)+" "+t.line(s))
	}
	t.drawn = 1 + len(t.stages)
	_, _ = io.WriteString(t.out, b.String()) // nobody could be told
}

// drawLine replaces a line of the screen; what does not fit is cut off, as it
// would take a second line.
func (t *Tracker) drawLine(b *strings.Builder, line string) {
	if runes := []rune(line); t.columns > 0 && len(runes) >= t.columns {
		line = string(runes[:max(0, t.columns-1)])
	}
	fmt.Fprintf(b, "\r\x1b[K%s\n", line)
}

// line is a stage without its mark.
func (t *Tracker) line(s stage) string {
	return strings.Join(append([]string{s.name}, strings.Fields(s.message)...), " ")
}

// plainLine is a stage that has ended, where there are no marks.
func plainLine(s stage) string {
	line := s.name + " " + map[State]string{Done: "done", Failed: "failed", Interrupted: "interrupted"}[s.state]
	if message := strings.Join(strings.Fields(s.message), " "); message != "" {
		line += " (" + message + ")"
	}
	return line
}
