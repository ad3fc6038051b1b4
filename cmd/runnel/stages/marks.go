package stages

// marks are what stands before a stage.
type marks struct {
	turning                            []string
	waiting, done, failed, interrupted string
}

// marksFor are the marks of a terminal, whose character set has more than
// ASCII or not.
func marksFor(unicode bool) marks {
	if unicode {
		return marks{[]string{"⠏", "⠛", "⠹", "⠼", "⠶", "⠧"}, "·", "✓", "X", "-"}
	}
	return marks{[]string{`|`, `/`, `-`, `\`}, ".", "+", "X", "-"}
}

// of is the mark of a state, after a number of turns.
func (m marks) of(s State, turns int) string {
	switch s {
	case Running:
		return m.turning[turns%len(m.turning)]
	case Done:
		return m.done
	case Failed:
		return m.failed
	case Interrupted:
		return m.interrupted
	}
	return m.waiting
}
