package logfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAppendWritesTheLineOfTheKubelet(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 19, 0, 0, 5, time.FixedZone("", 3600))
	got := string(Entry{Time: at, Stream: Stderr, Partial: true, Text: []byte("a\x00b")}.Append(nil))
	if want := "2026-11-21T18:00:00.000000005Z stderr P a\x00b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRefusesWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	const stamp = "2026-11-21T18:00:00.000000000Z"
	for _, line := range []string{
		"",
		"hello",
		stamp,
		stamp + " ",
		stamp + " stdout",
		stamp + " stdout ",
		stamp + " stdout F",
		stamp + " stdout X text",
		stamp + " STDOUT F text",
		stamp + " " + strings.Repeat("a", 17) + " F text",
		stamp + "  F text",
		"2026-13-21T18:00:00.000000000Z stdout F text",
		"2026-11-21T18:00:00.000000000+ stdout F text",
	} {
		if _, err := Parse([]byte(line)); !errors.Is(err, ErrMalformed) {
			t.Errorf("Parse(%q) = %v, want ErrMalformed", line, err)
		}
	}
}

func TestParseKeepsAnEmptyLine(t *testing.T) {
	t.Parallel()
	e, err := Parse([]byte("2026-11-21T18:00:00.000000000Z stdout F "))
	if err != nil || e.Partial || len(e.Text) != 0 || e.Stream != Stdout {
		t.Errorf("got %+v, %v", e, err)
	}
}

// FuzzParse checks that nothing makes Parse fall over, and that what it takes
// is written back as it was read.
func FuzzParse(f *testing.F) {
	f.Add([]byte("2026-11-21T18:00:00.123456789Z stdout F text"))
	f.Add([]byte("2026-11-21T18:00:00.123456789Z stderr P \x00\xff"))
	f.Add([]byte("2026-11-21T18:00:00.123456789Z mark F 65536"))
	f.Add([]byte("0000-02-29T23:59:60.000000000Z a F  "))
	f.Add([]byte("2026-11-21T18:00:00,123456789Z stdout F text"))
	f.Add([]byte("2026-11-21T18:00:00.+23456789Z stdout F text"))
	f.Add([]byte("P F "))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Parse(line)
		if err != nil {
			return
		}
		if offset, _ := Start(e); offset < 0 {
			t.Errorf("a file cannot begin at %d", offset)
		}
		if bytes.IndexByte(line, '\n') >= 0 {
			return // never handed in by a reader of lines
		}
		if got := bytes.TrimSuffix(e.Append(nil), []byte{'\n'}); !bytes.Equal(got, line) {
			t.Errorf("read %q, written back as %q", line, got)
		}
	})
}
