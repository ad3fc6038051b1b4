package scheduler

// TaskState is where a task stands.
// Source: label run.googleapis.com/runningState of tasks.
type TaskState string

// States of a task. The last three are final. Cloud Run knows one more,
// Abandoned, for tasks whose end nobody will ever tell; here an attempt whose
// end is not known has failed, so there are none.
const (
	// Pending: the task waits for its first attempt or for another one.
	Pending   TaskState = "Pending"
	Running   TaskState = "Running"
	Succeeded TaskState = "Succeeded"
	Failed    TaskState = "Failed"
	Cancelled TaskState = "Cancelled"
)

// StateLabel is the label of a task that carries its TaskState.
const StateLabel = "run.googleapis.com/runningState"

// Final reports whether a task in this state will never change again.
func (s TaskState) Final() bool {
	switch s {
	case Succeeded, Failed, Cancelled:
		return true
	}
	return false
}

// Counts are the tasks of an execution by what they do. Tasks that are Pending
// are in none of them.
type Counts struct {
	Running, Succeeded, Failed, Cancelled int
	// Retried is the number of tasks, not of attempts: those that were retried
	// at least once, however they ended.
	Retried int
}

// Final is the number of tasks that have come to their end.
func (c Counts) Final() int { return c.Succeeded + c.Failed + c.Cancelled }

// move counts a task that goes from one state to another.
func (c *Counts) move(from, to TaskState) {
	if n := c.of(from); n != nil {
		*n--
	}
	if n := c.of(to); n != nil {
		*n++
	}
}

// of is the count that a state falls under, nil if none.
func (c *Counts) of(s TaskState) *int {
	switch s {
	case Running:
		return &c.Running
	case Succeeded:
		return &c.Succeeded
	case Failed:
		return &c.Failed
	case Cancelled:
		return &c.Cancelled
	}
	return nil
}
