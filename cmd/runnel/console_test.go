package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	rimage "runnel/image"
)

func TestConsoleKeepsTheStatusBelowEverythingElse(t *testing.T) {
	t.Parallel()
	var screen strings.Builder // both streams, as on a terminal
	c := newConsole(env{Stdout: &screen, Stderr: &screen, Screen: true})
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
	c := newConsole(env{Stdout: &stdout, Stderr: &stderr})
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
	e := env{Stderr: &screen, Screen: true}
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
	c := newConsole(env{Stdout: w, Stderr: io.Discard})
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
