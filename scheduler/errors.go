package scheduler

import (
	"errors"
	"fmt"
)

var (
	// ErrRunning means that an execution of that name is under way.
	ErrRunning = errors.New("execution is under way")
	// ErrDetached means that the scheduler has let go of its executions, which
	// go on with another one.
	ErrDetached = errors.New("scheduler has let go of its executions")
	// ErrRecord means that a task's record cannot be read: it is damaged, or a
	// newer program has written it.
	ErrRecord = errors.New("unreadable record of a task")

	// errUnseen is said of an attempt that is lost for no other reason.
	errUnseen = errors.New("nobody has seen how it ended")
)

// CapacityError says that an instance is larger than the whole host, so that
// waiting would not help.
type CapacityError struct{ Need, Capacity Resources }

// Error gives both sides' numbers. Instances of services and worker pools reserve
// no CPU, so that it is not told about.
func (e *CapacityError) Error() string {
	if e.Need.CPU == 0 {
		return fmt.Sprintf("instance needs %s; this host offers %s", e.Need.memory(), e.Capacity.memory())
	}
	return fmt.Sprintf("instance needs %s; this host offers %s", e.Need, e.Capacity)
}
