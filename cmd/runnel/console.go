package main

import (
	"fmt"
	"sync"
	"time"

	"runnel/cmd/runnel/cli"
)

const (
	// clearLine moves to the beginning of a terminal's line and empties it.
	clearLine = "\r\x1b[K"
	// maxPending is how much output may wait to be written, in bytes, before
	// those who bring more wait, too.
	maxPending = 1 << 20
	// patience is how long a console in a hurry waits for one write.
	patience = time.Second
)

// console is what a command shows while it works: results on one stream, words
// about them on the other, and below them, on a screen, a line of status that
// is redrawn in place. What is shown keeps its order across both. It is safe
// for concurrent use.
//
// All of it is written by a goroutine of the console's own, so that nobody who
// has something to say hangs on a reader that does not read. Only results wait,
// once many are pending, and whoever asks for all of them to be written.
type console struct {
	screen bool
	lost   chan struct{} // closed when a result could not be written

	// mu guards what follows; changed tells of every change.
	mu      sync.Mutex
	changed sync.Cond
	pending []piece
	size    int    // of the results in pending, in bytes
	status  string // that was set last
	writes  int    // how many pieces have been written
	writing bool   // another one is being written
	closed  bool
	ended   bool   // nothing is written any more
	failed  error  // why results are not written any more
	spare   []byte // becomes the next piece's text
}

// piece is a part of what is shown.
type piece struct {
	kind pieceKind
	text []byte
}

type pieceKind int

const (
	resultPiece pieceKind = iota // whole lines
	wordPiece                    // whole lines
	statusPiece                  // a line without its end
)

// newConsole opens a console. The caller must close it.
func newConsole(e cli.Env) *console {
	c := &console{screen: e.Screen, lost: make(chan struct{})}
	c.changed.L = &c.mu
	go c.write(&display{screen: e.Screen, out: e.Stdout, err: e.Stderr})
	return c
}

// close shows what is pending and ends the console, which must not be used any
// more. Only where it has given up on its reader does a write stay behind, to
// end with the process.
func (c *console) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	for !c.ended && !c.abandoned() {
		c.changed.Wait()
	}
}

// result brings p to standard output, in one piece. Once a write has failed, and
// lost is closed, it does nothing: whoever read the output has gone.
func (c *console) result(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.size > maxPending && c.failed == nil {
		c.changed.Wait()
	}
	if c.failed != nil {
		return
	}
	c.size += len(p)
	if n := len(c.pending); n > 0 && c.pending[n-1].kind == resultPiece {
		c.pending[n-1].text = append(c.pending[n-1].text, p...)
		return // the writer has been told of the piece
	}
	c.push(piece{resultPiece, append(c.spare, p...)})
	c.spare = nil
}

// say brings a line to standard error, after all results so far.
func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.push(piece{wordPiece, fmt.Appendf(nil, format+"\n", args...)})
}

// setStatus replaces the line of status; an empty one removes it. Without a
// screen it is a line like others.
func (c *console) setStatus(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == c.status {
		return
	}
	c.status = s
	if n := len(c.pending); c.screen && n > 0 && c.pending[n-1].kind == statusPiece {
		c.pending[n-1].text = []byte(s) // nobody has seen the other
		return
	}
	c.push(piece{statusPiece, []byte(s)})
}

// push appends to what is pending. c.mu is held.
func (c *console) push(p piece) {
	c.pending = append(c.pending, p)
	c.changed.Broadcast()
}

// flush waits until everything so far is written, and returns why results could
// not be.
func (c *console) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for (c.writing || len(c.pending) > 0) && !c.abandoned() {
		c.changed.Wait()
	}
	return c.failed
}

// hurry makes the console give up on a reader that lets one write wait for
// longer than patience: nobody waits for it any more, and its results are lost.
func (c *console) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch()
}

// watch looks after a while whether the write under way is still the same. c.mu
// is held.
func (c *console) watch() {
	if c.ended || c.failed != nil {
		return
	}
	before := c.writes
	time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.writing && c.writes == before {
			c.fail(errUnread)
		}
		c.watch()
	})
}
