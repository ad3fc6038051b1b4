// Package ingress is the request path of services: it takes a request, finds
// the revision that is to have it, finds or waits for a slot on one of its
// instances, and forwards it.
//
//	request ──▶ Server ──▶ Route ──▶ access ──▶ Target ──▶ Pool ──▶ Lease ──▶ instance
//	             host, TLS  service   who may    revision   slot or   one slot
//	                                  call       by share   queue
//
// It stands below the scheduler and never calls it: a Pool with more requests
// than slots says so (PoolConfig.Demand), and whoever keeps the instances adds
// them with Pool.Add. Requests wait in the order they came, for as long as
// the contract has them wait. Every failure has one answer, which answer.go lists.
//
// The package does no I/O but on the connections it is given and those it opens
// to instances, and needs no privilege.
package ingress
