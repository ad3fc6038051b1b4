package main

import (
	"bytes"
	"strings"
	"testing"
)

// lines notes what each write holds.
type lines []string

func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, string(p))
	return len(p), nil
}

func TestOutputIsCopiedLineByLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	text := "one\n" + long + "\nlast without an end"
	var got lines
	copyLines(&got, bytes.NewBufferString(text))
	if strings.Join(got, "") != text || got[0] != "one\n" || got[len(got)-1] != "last without an end" {
		t.Errorf("%d writes: %.40q", len(got), got)
	}
}
