package servicelog

import (
	"context"
	"fmt"
	"time"
)

const (
	// linger is how long what comes first waits for others, so that a thousand
	// requests a second are not a thousand writes.
	linger = 20 * time.Millisecond
	// closeAfter is how long a file stays open without being written.
	closeAfter = time.Minute
	// keptEntries are as many as a buffer keeps its room for.
	keptEntries = 1024
)

// Run writes until ctx ends, and then what is left. It is to be called once.
func (w *Writer) Run(ctx context.Context) {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	idle := time.NewTicker(closeAfter)
	defer idle.Stop()
	var spare pending
	for {
		select {
		case <-w.wake:
		case <-idle.C:
			w.files.closeIdle(false)
			continue
		case <-ctx.Done():
			w.flush(spare)
			w.files.closeIdle(true)
			return
		}
		timer.Reset(linger)
		select {
		case <-timer.C:
		case <-w.full:
		case <-ctx.Done():
		}
		spare = w.flush(spare)
	}
}

// flush writes what waits, and returns its buffers.
func (w *Writer) flush(spare pending) pending {
	p := w.take(spare)
	requests, events := make(map[string][]byte), make(map[string][]byte)
	for i := range p.entries {
		e := &p.entries[i]
		requests[e.Service] = line(requests[e.Service], newRequest(e))
	}
	for i := range p.lines {
		owner := ownerOf(p.lines[i].Revision)
		events[owner] = line(events[owner], newEvent(&p.lines[i]))
	}
	for owner, n := range p.lost {
		events[owner] = line(events[owner], Event{
			Time: time.Now(), Severity: "WARNING",
			Text: fmt.Sprintf("%d entries of requests or events were lost here: they came faster than they could be written", n),
		})
	}
	w.files.write(Requests, RequestStream, requests)
	w.files.write(System, EventStream, events)
	return p.clear()
}

// clear is the buffers of p, empty, or none if they are large.
func (p pending) clear() pending {
	var left pending
	if cap(p.entries) <= keptEntries {
		clear(p.entries) // let go of the texts
		left.entries = p.entries[:0]
	}
	if cap(p.lines) <= keptEntries {
		clear(p.lines)
		left.lines = p.lines[:0]
	}
	return left
}
