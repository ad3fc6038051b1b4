package main

import (
	"fmt"
	"io"
	"sync"
)

const (
	// clearLine moves to the beginning of a terminal's line and empties it.
	clearLine = "\r\x1b[K"
	// maxPending is how much output may wait to be written, in bytes, before
	// those who bring more wait, too.
	maxPending = 1 << 20
)

// console is what a command shows while it works: results on one stream, words
// about them on the other, and below them, on a screen, a line of status that
// is redrawn in place. What is shown keeps its order across both. It is safe
// for concurrent use.
//
// Results are written by a goroutine of the console's own, all that have come
// together since it wrote last: one line at once, a flood in large pieces.
type console struct {
	screen bool
	wake   chan struct{} // closed by close
	lost   chan struct{} // closed when a result could not be written
	writer sync.WaitGroup

	// mu guards pending and failed.
	mu      sync.Mutex
	room    sync.Cond // pending has been taken, or failed set
	pending []byte
	failed  error // of the first write to out that failed

	// showing guards what follows; it is locked before mu.
	showing  sync.Mutex
	out, err io.Writer
	status   string // as it stands on the screen
	spare    []byte // becomes pending next
}

// newConsole opens a console. The caller must close it.
func newConsole(e env) *console {
	c := &console{screen: e.Screen, out: e.Stdout, err: e.Stderr, wake: make(chan struct{}, 1), lost: make(chan struct{})}
	c.room.L = &c.mu
	c.writer.Go(func() {
		for range c.wake {
			_ = c.flush() // lost tells
		}
	})
	return c
}

// close shows what is pending. The console must not be used any more.
func (c *console) close() {
	close(c.wake)
	c.writer.Wait()
	_ = c.flush() // the last chance is gone; finish has asked before
}

// result brings p to standard output, in one piece. Once a write has failed, and
// lost is closed, it does nothing: whoever read the output has gone.
func (c *console) result(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > maxPending && c.failed == nil {
		c.room.Wait()
	}
	if c.failed != nil {
		return
	}
	c.pending = append(c.pending, p...)
	select {
	case c.wake <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}

// say writes a line to standard error, after all results so far.
func (c *console) say(format string, args ...any) {
	c.showing.Lock()
	defer c.showing.Unlock()
	_ = c.write() // lost tells
	c.hide()
	fmt.Fprintf(c.err, format+"\n", args...)
	c.show()
}

// setStatus replaces the line of status; an empty one removes it. Without a
// screen it is a line like others.
func (c *console) setStatus(s string) {
	c.showing.Lock()
	defer c.showing.Unlock()
	if s == c.status {
		return
	}
	_ = c.write() // lost tells
	c.hide()
	c.status = s
	if !c.screen && s != "" {
		fmt.Fprintln(c.err, s)
	}
	c.show()
}

// flush writes all results so far and returns the first failure to do so.
func (c *console) flush() error {
	c.showing.Lock()
	defer c.showing.Unlock()
	return c.write()
}

// write writes what is pending. c.showing is held, as below.
func (c *console) write() error {
	c.mu.Lock()
	p, failed := c.pending, c.failed
	c.pending = c.spare[:0]
	c.mu.Unlock()
	c.spare = p
	if len(p) > 0 && failed == nil {
		c.hide()
		if _, err := c.out.Write(p); err != nil {
			failed = fmt.Errorf("cannot write the output: %w", err)
		}
		c.show()
	}
	c.mu.Lock()
	if c.failed == nil && failed != nil {
		close(c.lost)
	}
	c.failed = failed
	c.mu.Unlock()
	c.room.Broadcast()
	return failed
}

// hide takes the status off the screen.
func (c *console) hide() {
	if c.screen && c.status != "" {
		fmt.Fprint(c.err, clearLine)
	}
}

// show draws the status.
func (c *console) show() {
	if c.screen && c.status != "" {
		fmt.Fprint(c.err, c.status)
	}
}
