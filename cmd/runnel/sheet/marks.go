package sheet

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
)

// State is how something is doing, at a glance.
type State int

// The states. What is Working goes on, what is Idle waits.
const (
	Working State = iota
	Good
	Bad
	Cancelled
	Idle
)

// Mark is a state in one character, and the colour it has on a terminal.
type Mark struct{ Symbol, color string }

// Palette is what standard output can show.
type Palette struct {
	// Fancy says that it is a terminal that has more characters than ASCII.
	Fancy bool
	// Color says that it shows colours.
	Color bool
}

// PaletteOf is that of e.
func PaletteOf(e cli.Env) Palette { return Palette{Fancy: e.Display && e.Unicode, Color: e.Color} }

// Colours of a terminal.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// Mark is that of a state: beyond ASCII on a terminal that has more.
func (p Palette) Mark(s State) Mark {
	switch {
	case s == Good && p.Fancy:
		return Mark{"✔", green}
	case s == Good:
		return Mark{"+", green}
	case s == Bad:
		return Mark{"X", red}
	case s == Cancelled:
		return Mark{"!", yellow}
	case s == Working && p.Fancy:
		return Mark{"…", yellow}
	}
	return Mark{".", yellow}
}

// Colored is text in the colour of m, where there are colours.
func (p Palette) Colored(m Mark, text string) string {
	if !p.Color {
		return text
	}
	return m.color + text + plain
}

// Cell is the mark of a state in a table.
func (p Palette) Cell(s State) string {
	m := p.Mark(s)
	return p.Colored(m, m.Symbol)
}

// StateOf is that of a resource with a terminal condition.
func StateOf(c *runpb.Condition) State {
	switch c.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		return Good
	case runpb.Condition_CONDITION_FAILED:
		return Bad
	}
	return Working
}
