// Package scheduler decides what should run and sees it through: an execution
// of a job, task by task and attempt by attempt, until every task has come to
// its end.
//
// What is decided is decided by pure functions (retry, admission, parallelism,
// names, conditions). Each execution has one goroutine that owns its state and
// calls them; goroutines of its own create, run and delete instances and report
// back to it, so there is nothing to lock. Executions share the host through
// one Budget.
//
// A task goes through these states:
//
//	         an instance starts
//	Pending ───────────────────▶ Running ──▶ Succeeded   exit status 0
//	   ▲                            │  ├───▶ Failed      no attempt is left
//	   └────────────────────────────┘  └───▶ Cancelled   the execution was
//	       failed, attempts are left
//
// and from Pending straight to Cancelled, or to Failed where no instance can be
// had.
//
// The package knows instances only through the Instance interface, does no I/O
// of its own and needs no privilege.
package scheduler
