package scheduler

import "fmt"

// CapacityError says that a task is larger than the whole host, so that
// waiting would not help.
type CapacityError struct{ Need, Capacity Resources }

// Error gives both sides' numbers.
func (e *CapacityError) Error() string {
	return fmt.Sprintf("task needs %s; this host offers %s", e.Need, e.Capacity)
}
