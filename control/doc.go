// Package control is the control plane: which jobs, executions, tasks, schedules,
// services, worker pools, revisions, operations and policies there are, who
// changed them, and what follows from a change.
//
// What is wanted stands in the store, and is durable before a call that asked
// for it returns. What follows is brought about by one goroutine per resource,
// which reads what is wanted, does the next thing, and looks again whenever
// somebody has changed it; so it makes no difference whether the daemon died in
// between. A finished execution is what the store says of it, an unfinished one
// what the scheduler says.
//
//	          CreateJob, UpdateJob                     RunJob
//	job  ──▶ reconciling ──▶ Ready           execution ──▶ image ──▶ scheduler ──▶ ended
//	             │   image cannot be had         │                      │            │
//	             └──────────▶ Failed             └──── CancelExecution ─┘            │
//	         DeleteJob: executions, then the job             DeleteExecution ──▶ removed
//
// A service is tended by one goroutine and each of its revisions by another. A
// revision that another template makes is stored with the service, and never
// changes what it is. Once it is ready the service moves the traffic that is
// meant for it: ready, then swap, then drain. One that cannot be leaves the
// traffic where it is.
//
//	revision ──▶ images pinned ──▶ kept by the fleet ──▶ checked, warmed ──▶ Ready
//	                 │                     │                  │
//	                 └─────────────────────┴──────────────────┴──▶ Failed
//	service  ──▶ reconciling ──▶ routes stored ──▶ routed ──▶ rescaled ──▶ Ready
//
// A schedule is tended when it is due, when it is changed, and when a run of it is
// asked for. Its note says up to which tick all has been seen to, and is written
// in the transaction that creates the execution.
//
//	watchClock ▶ due ──▶ Allow ────────────────────────▶ execution and note stored
//	RunSchedule ─▶ │      Replace ─▶ the last cancelled, ended ─┘
//	               └────▶ Forbid, or no job ───────────▶ left out, noted
//
// Requests are served by what is stored of a service, its routes, its policy and
// its settings: each change of these is durable first, and put in force then
// (reroute). So the next daemon serves as this one did.
//
// A worker pool is a service that gets no requests, and below its calls is nothing
// else: its instance splits are routes, by which its instances are shared, and the
// new ones are there before the old ones go. A revision that is to have no instances
// is ready without having been tried, because an instance would do work; the first
// ones that it gets show whether it can be.
//
// Errors are gRPC status errors, with the codes of Cloud Run's API. Resource
// names are whole, such as projects/P/locations/L/jobs/J; any project and any
// location is as good as another. The package needs no privilege.
package control
