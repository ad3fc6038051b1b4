// Package scheduler decides what should run and sees it through: an execution
// of a job, task by task and attempt by attempt, until every task has come to
// its end.
//
// What is decided is decided by pure functions (retry, admission, parallelism,
// names, conditions). Each execution has one goroutine, its loop, that owns its
// state and calls them; goroutines of its own create, run and delete instances
// and report back to it, so there is nothing to lock. Executions share the host
// through one Budget.
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
// With a Journal an execution is durable: another process goes on with what has
// been recorded of it, and adopts its instances. Four rules make that exact. An
// attempt is recorded before its instance starts; the reason before it is
// stopped; its end before its instance is deleted, which is what makes everybody
// else forget it; and nobody is shown what is not durable. The loop itself never
// waits for the disk: records become durable in their order, those who act upon
// one wait for its Ticket, and a view that lags behind the loop serves readers.
//
// The package knows instances only through the Instance interface, does no I/O
// of its own and needs no privilege.
package scheduler
