package scheduler

import "cloud.google.com/go/run/apiv2/runpb"

// Journal makes durable what executions go through, so that another process can
// go on with them. Its methods must not wait for the disk, and what they are
// given becomes durable in the order of the calls. They are called from several
// goroutines at once, those of one execution from one.
type Journal interface {
	// Task keeps r as the record of one task of x, which only identifies: name
	// and UID are set, nothing else.
	Task(x *runpb.Execution, r TaskRecord) Ticket
	// Execution keeps x as it stands: when its first task starts, when it is
	// cancelled, when it has ended.
	Execution(x *runpb.Execution) Ticket
}

// Ticket stands for something on its way to the disk.
type Ticket interface {
	// Done is closed once it is durable.
	Done() <-chan struct{}
}

// Past is what a Journal has kept of an execution. The zero value is that of
// one that has not begun.
type Past struct {
	// Tasks are the records of tasks, the last one of each. Tasks without one
	// have not been attempted.
	Tasks []TaskRecord
	// Cancelling says that the execution is to be cancelled. It need not be set
	// where the execution's own conditions tell.
	Cancelling bool
}
