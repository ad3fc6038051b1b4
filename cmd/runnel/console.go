package main

import (
	"fmt"
	"io"
	"sync"
)

// clearLine moves to the beginning of a terminal's line and empties it.
const clearLine = "\r\x1b[K"

// console is what a command shows while it works: results on one stream, words
// about them on the other, and below them, on a screen, a line of status that
// is redrawn in place. It is safe for concurrent use.
type console struct {
	screen bool

	// mu guards what follows.
	mu       sync.Mutex
	out, err io.Writer
	status   string // as it stands on the screen
	failed   error  // of the first write to out that failed
}

func newConsole(e env) *console {
	return &console{screen: e.Screen, out: e.Stdout, err: e.Stderr}
}

// result writes p to standard output, in one piece. After the first failure it
// only returns that: whoever read the output has gone.
func (c *console) result(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return c.failed
	}
	c.hide()
	if _, err := c.out.Write(p); err != nil {
		c.failed = fmt.Errorf("cannot write the output: %w", err)
	}
	c.show()
	return c.failed
}

// say writes a line to standard error.
func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hide()
	fmt.Fprintf(c.err, format+"\n", args...)
	c.show()
}

// setStatus replaces the line of status; an empty one removes it. Without a
// screen it is a line like others.
func (c *console) setStatus(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == c.status {
		return
	}
	c.hide()
	c.status = s
	if !c.screen && s != "" {
		fmt.Fprintln(c.err, s)
	}
	c.show()
}

// hide takes the status off the screen. c.mu is held.
func (c *console) hide() {
	if c.screen && c.status != "" {
		fmt.Fprint(c.err, clearLine)
	}
}

// show draws the status. c.mu is held.
func (c *console) show() {
	if c.screen && c.status != "" {
		fmt.Fprint(c.err, c.status)
	}
}
