package jobs

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// state is how something is doing, at a glance.
type state int

const (
	working state = iota
	good
	bad
	cancelled
	idle
)

// mark is a state in one character, and the colour it has on a terminal.
type mark struct{ symbol, color string }

// Colours of a terminal.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// mark is that of a state: beyond ASCII on a terminal that has more.
func (c *commands) mark(s state) mark {
	fancy := c.env.Display && c.env.Unicode
	switch {
	case s == good && fancy:
		return mark{"✔", green}
	case s == good:
		return mark{"+", green}
	case s == bad:
		return mark{"X", red}
	case s == cancelled:
		return mark{"!", yellow}
	case s == working && fancy:
		return mark{"…", yellow}
	}
	return mark{".", yellow}
}

// colored is text in the colour of m, where there are colours.
func (c *commands) colored(m mark, text string) string {
	if !c.env.Color {
		return text
	}
	return m.color + text + plain
}

// cell is the mark of a state in a table.
func (c *commands) cell(s state) string {
	m := c.mark(s)
	return c.colored(m, m.symbol)
}

// stateOf is that of a resource with a terminal condition.
func stateOf(c *runpb.Condition) state {
	switch c.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		return good
	case runpb.Condition_CONDITION_FAILED:
		return bad
	}
	return working
}

// Running states of tasks.
const (
	taskPending   = "Pending"
	taskRunning   = "Running"
	taskSucceeded = "Succeeded"
	taskFailed    = "Failed"
	taskCancelled = "Cancelled"
	taskAbandoned = "Abandoned"
)

// runningState is what a task is doing.
func runningState(t *runpb.Task) string {
	done := condition(t.GetConditions(), conditionCompleted)
	switch done.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		return taskSucceeded
	case runpb.Condition_CONDITION_FAILED:
		if done.GetExecutionReason() == runpb.Condition_CANCELLED {
			return taskCancelled
		}
		return taskFailed
	}
	if t.GetStartTime() != nil && t.GetCompletionTime() == nil {
		return taskRunning
	}
	return taskPending
}

// taskState is the state of a task.
func taskState(t *runpb.Task) state {
	switch runningState(t) {
	case taskSucceeded:
		return good
	case taskFailed:
		return bad
	case taskCancelled:
		return cancelled
	case taskRunning:
		return working
	}
	return idle
}
