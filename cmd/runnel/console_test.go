package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"runnel/cmd/runnel/cli"
	rimage "runnel/image"
)

func TestConsoleKeepsTheStatusBelowEverythingElse(t *testing.T) {
	t.Parallel()
	var screen strings.Builder // both streams, as on a terminal
	c := newConsole(cli.Env{Stdout: &screen, Stderr: &screen, Screen: true})
	c.setStatus("1 running")
	c.result([]byte("0 stdout hello\n"))
	if err := c.flush(); err != nil {
		t.Fatal(err)
	}
	c.setStatus("2 running")
	c.setStatus("2 running")
	c.say("word")
	c.setStatus("")
	c.close()
	want := "1 running" + clearLine + "0 stdout hello\n1 running" +
		clearLine + "2 running" + clearLine + "word\n2 running" + clearLine
	if screen.String() != want {
		t.Errorf("got  %q\nwant %q", screen.String(), want)
	}
}

func TestConsoleWithoutAScreenWritesLines(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	c := newConsole(cli.Env{Stdout: &stdout, Stderr: &stderr})
	c.setStatus("1 running")
	c.setStatus("1 running")
	c.setStatus("")
	c.close()
	if stderr.String() != "1 running\n" || stdout.String() != "" {
		t.Errorf("stderr %q, stdout %q", stderr.String(), stdout.String())
	}
}

// Whatever becomes of the layers, the bars end and show what was reported last.
func TestLayerBarsEnd(t *testing.T) {
	t.Parallel()
	var screen strings.Builder
	e := cli.Env{Stderr: &screen, Screen: true}
	v := newLayerView(e, nil) // bars do not use the console
	for _, p := range []rimage.Progress{
		{Layer: "sha256:aaaaaaaaaaaaaaaa", Total: 4 << 20, State: rimage.Fetching, Current: 4 << 20},
		{Layer: "sha256:aaaaaaaaaaaaaaaa", Total: 4 << 20, State: rimage.Unpacked, Current: 4 << 20},
		{Layer: "sha256:bbbbbbbbbbbbbbbb", Total: 10, State: rimage.Shared},
		{Layer: "sha256:cccccccccccccccc", Total: 2 << 20, State: rimage.Fetching, Current: 1 << 20},
		{Layer: "sha256:dddddddddddddddd", Total: -1, State: rimage.Waiting},
	} {
		v.show(p)
	}
	v.close()
	for _, want := range []string{
		"aaaaaaaaaaaa", "unpacked 4.0 MiB", "already here", "1.0 MiB of 2.0 MiB", "waiting",
	} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("the screen never showed %q:\n%s", want, screen.String())
		}
	}
}

// Whoever brings results faster than they are read waits, and nothing is lost
// or torn.
func TestConsoleHoldsBackAFlood(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	c := newConsole(cli.Env{Stdout: w, Stderr: io.Discard})
	const writers, each = 8, 2000
	text := strings.Repeat("x", 500)
	var work sync.WaitGroup
	for i := range writers {
		work.Go(func() {
			for n := range each {
				c.result(fmt.Appendf(nil, "%d %d %s\n", i, n, text))
			}
		})
	}
	go func() {
		work.Wait()
		c.close()
		w.Close()
	}()
	next := make([]int, writers)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var i, n int
		var s string
		if _, err := fmt.Sscan(lines.Text(), &i, &n, &s); err != nil || n != next[i] || s != text {
			t.Fatalf("line %.20q, want number %d", lines.Text(), next[i])
		}
		next[i]++
	}
	for i, n := range next {
		if n != each {
			t.Errorf("writer %d: %d of %d lines", i, n, each)
		}
	}
}

// Nobody but those who bring results waits for a reader that does not read; in
// a hurry nobody does.
func TestConsoleWhoseReaderStopsReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck := make(blocked)
		c := newConsole(cli.Env{Stdout: stuck, Stderr: io.Discard, Screen: true})
		c.result(make([]byte, 2*maxPending))
		synctest.Wait()
		c.say("said while a write hangs")
		c.setStatus("1 running")
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				for range 4 {
					c.result(make([]byte, maxPending))
				}
			})
		}
		synctest.Wait()
		begun := time.Now()
		c.hurry()
		waiting.Wait()
		if err := c.flush(); !errors.Is(err, errUnread) {
			t.Errorf("flush = %v", err)
		}
		c.close()
		if took := time.Since(begun); took != patience {
			t.Errorf("gave up after %v", took)
		}
		close(stuck) // the process ends
	})
}

// A reader that is slow, but reads, gets everything, hurry or not.
func TestHurriedConsoleWaitsForASlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got strings.Builder
		c := newConsole(cli.Env{Stdout: slow{&got}, Stderr: io.Discard})
		c.hurry()
		for n := range 20 {
			c.result(fmt.Appendln(nil, n))
			c.say("%d", n)
		}
		if err := c.flush(); err != nil {
			t.Error(err)
		}
		c.close()
		if n := strings.Count(got.String(), "\n"); n != 20 {
			t.Errorf("%d lines", n)
		}
		<-time.After(2 * patience) // for the timer
	})
}

// blocked is a stream that takes nothing until it is closed.
type blocked chan struct{}

func (b blocked) Write(p []byte) (int, error) {
	<-b
	return len(p), nil
}

// slow is a stream that takes nearly as long as a hurried console waits.
type slow struct{ io.Writer }

func (s slow) Write(p []byte) (int, error) {
	<-time.After(patience * 9 / 10)
	return s.Writer.Write(p)
}
