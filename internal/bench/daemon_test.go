package main

import (
	"path/filepath"
	"testing"
	"time"
)

func TestSpreadTellsQuantiles(t *testing.T) {
	t.Parallel()
	var s spread
	for i := range 100 {
		s = append(s, time.Duration(99-i))
	}
	for q, want := range map[float64]time.Duration{0: 0, 0.5: 50, 0.99: 99, 1: 99} {
		if got := s.at(q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := medians([]spread{{1, 1}, {3, 9}, {2, 4}}); got != (quantiles{4, 4}) {
		t.Errorf("medians are %v", got)
	}
}

func TestParseWorkedCountsChildren(t *testing.T) {
	t.Parallel()
	got, err := parseWorked("7 (a b) c) S 1 7 7 0 -1 4194560 11 22 0 0 1 2 30 400 20 0 9 0\n")
	if want := 4330 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := parseWorked("7 (short) S 1"); err == nil {
		t.Error("read half a line")
	}
}

// What has not begun need not be ended.
func TestADaemonThatCannotStartIsClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := newDaemon(config{bin: dir}, filepath.Join(dir, "d"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.start(t.Context()); err == nil {
		t.Error("a program that is not there has started")
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

func TestTaskOfIsBelowItsExecution(t *testing.T) {
	t.Parallel()
	if got := taskOf("jobs/j/executions/j-abcde", 3); got != "jobs/j/executions/j-abcde/tasks/j-abcde-task3" {
		t.Errorf("got %s", got)
	}
}
