package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// write shows one piece after the other until the console is closed.
func (c *console) write(d *display) {
	for {
		p, ok := c.next()
		if !ok {
			return
		}
		err := d.show(p)
		c.wrote(p, err)
	}
}

// next waits for the piece to be written next, and says if there is none any
// more.
func (c *console) next() (_ piece, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) == 0 && !c.closed {
		c.changed.Wait()
	}
	if len(c.pending) == 0 {
		c.ended = true
		c.changed.Broadcast()
		return piece{}, false
	}
	p := c.pending[0]
	c.pending = slices.Delete(c.pending, 0, 1)
	if p.kind == resultPiece {
		c.size -= len(p.text)
	}
	c.writing = true
	c.changed.Broadcast()
	return p, true
}

// wrote takes note of a piece that has been written, or could not be.
func (c *console) wrote(p piece, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	c.writes++
	if p.kind == resultPiece {
		c.spare = p.text[:0]
	}
	if err != nil && c.failed == nil {
		c.fail(fmt.Errorf("cannot write the output: %w", err))
		close(c.lost)
	}
	c.changed.Broadcast()
}

// fail takes note that no result is written any more, and drops those that
// wait. c.mu is held.
func (c *console) fail(err error) {
	c.failed = err
	c.pending = slices.DeleteFunc(c.pending, func(p piece) bool { return p.kind == resultPiece })
	c.size = 0
	c.changed.Broadcast()
}

// abandoned reports whether the console has given up on its reader. c.mu is
// held.
func (c *console) abandoned() bool { return errors.Is(c.failed, errUnread) }

// display is the streams that a console writes to, and what stands on them.
type display struct {
	screen   bool
	out, err io.Writer
	status   string // as it stands on the screen
}

// show writes a piece. It fails only for results: nobody can be told about the
// rest.
func (d *display) show(p piece) (err error) {
	d.hide()
	switch p.kind {
	case resultPiece:
		_, err = d.out.Write(p.text)
	case wordPiece:
		_, _ = d.err.Write(p.text)
	case statusPiece:
		d.status = string(p.text)
		if !d.screen && d.status != "" {
			fmt.Fprintln(d.err, d.status)
		}
	}
	d.draw()
	return err
}

// hide takes the status off the screen.
func (d *display) hide() {
	if d.screen && d.status != "" {
		fmt.Fprint(d.err, clearLine)
	}
}

// draw shows the status.
func (d *display) draw() {
	if d.screen && d.status != "" {
		fmt.Fprint(d.err, d.status)
	}
}
