// Package serving keeps the instances of services: it starts them when requests
// wait or a minimum asks for it, sees that they are ready and stay healthy, has
// them take requests, and stops them when they have been idle. It also keeps
// those of worker pools, which take no requests: as many as somebody says.
//
// Each revision has one goroutine, its loop, that owns its state and calls pure
// deciders (autoscale); goroutines of its own create, start, probe, stop and
// delete instances and report back. Revisions share the host with each other
// and with executions through one scheduler.Budget.
//
// An instance goes through these states:
//
//	creating ─▶ prepared ─▶ starting ─▶ ready ─▶ draining ─▶ stopping ─▶ deleted
//	                │           └────────┴───────────┴─────────▲
//	                └── not wanted any more, could not start, ended by itself
//
// One that is prepared has everything but a running process; a revision at zero
// keeps one such, so that a request has to wait for a start only.
//
// An instance is ready when every container that has a start-up probe has
// answered it. That which takes requests always has one. Where nothing else tells,
// a container of a worker pool has to run for a moment.
//
// With a Journal instances outlive this process: each is recorded before it is
// created, and the next process adopts those that live.
package serving
