package serving

import (
	"time"

	"runnel/scheduler"
)

// Record is what is remembered of an instance.
type Record struct {
	// ID is the instance's, Revision the full name of its revision.
	ID       string `json:"id"`
	Revision string `json:"revision"`
	// Created is when it was asked for, Started when its process was, Ready when
	// it was ready first, Ended when it had ended; zero if it never did.
	Created time.Time `json:"created"`
	Started time.Time `json:"started,omitzero"`
	Ready   time.Time `json:"ready,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Reason says why it was started.
	Reason string `json:"reason,omitempty"`
}

// Journal makes durable which instances there are. Its methods must not wait for
// the disk.
type Journal interface {
	// Instance keeps a record, in place of an earlier one of its ID.
	Instance(Record) scheduler.Ticket
}
