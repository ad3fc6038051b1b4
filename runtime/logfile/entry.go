package logfile

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// The streams of a log. Stdout and Stderr are what the instance prints, Syslog
// is what it sends to /dev/log, System is what Runnel has to say about it.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	Syslog = "syslog"
	System = "system"
)

// markStream is the stream of the entry that a rotated file begins with.
const markStream = "mark"

const (
	// MaxText is the most bytes of text in one entry of the file; a longer line
	// is written in parts.
	MaxText = 16 << 10
	// MaxLine is the most bytes of text that a reader joins parts to; a longer
	// line reaches it in pieces.
	// Source: Cloud Logging, "Quotas and limits", size of a log entry.
	MaxLine = 256 << 10
	// maxHeader bounds what stands before the text of an entry.
	maxHeader = 64
)

// stampLayout always yields stampLen bytes for a time in UTC.
const (
	stampLayout = "2006-01-02T15:04:05.000000000Z07:00"
	stampLen    = len("2006-01-02T15:04:05.000000000Z")
	stampDot    = len("2006-01-02T15:04:05")
)

// Entry is one entry of a log.
type Entry struct {
	// Time is when Runnel read the text from the instance.
	Time time.Time
	// Stream is Stdout, Stderr, Syslog or System.
	Stream string
	// Partial says that the line goes on in the next entry of the same stream.
	Partial bool
	// Text is the line without its newline, any bytes at all. It belongs to
	// whoever made the entry: copy it to keep it.
	Text []byte
}

// Path is the log file of the instance named id under dir.
func Path(dir, id string) string { return filepath.Join(dir, id+".log") }

// Old is where the file at path goes when it is full.
func Old(path string) string { return path + ".1" }

// Parse reads one line of a log file, without its newline. The entry's text is
// a part of line. The error is ErrMalformed.
func Parse(line []byte) (Entry, error) {
	if len(line) <= stampLen || line[stampLen] != ' ' {
		return Entry{}, fmt.Errorf("time: %w", ErrMalformed)
	}
	at, err := parseStamp(line[:stampLen])
	if err != nil {
		return Entry{}, err
	}
	name, rest, ok := bytes.Cut(line[stampLen+1:], []byte{' '})
	if !ok || !validStream(name) {
		return Entry{}, fmt.Errorf("stream: %w", ErrMalformed)
	}
	if len(rest) < 2 || rest[1] != ' ' || rest[0] != 'F' && rest[0] != 'P' {
		return Entry{}, fmt.Errorf("tag: %w", ErrMalformed)
	}
	return Entry{Time: at, Stream: streamName(name), Partial: rest[0] == 'P', Text: rest[2:]}, nil
}

// Start says at which byte of the whole log, over all its files, a file begins
// whose first entry is first, and whether that entry is only there to tell so.
func Start(first Entry) (offset int64, mark bool) {
	if first.Stream != markStream {
		return 0, false
	}
	offset, err := strconv.ParseInt(string(first.Text), 10, 64)
	if err != nil || offset < 0 {
		return 0, true
	}
	return offset, true
}

// Append adds e to b in the form of the file, newline included.
func (e Entry) Append(b []byte) []byte {
	b = appendHeader(b, appendStamp(nil, e.Time), e.Stream, e.Partial)
	b = append(b, e.Text...)
	return append(b, '\n')
}

// appendStamp adds the time of an entry to b.
func appendStamp(b []byte, at time.Time) []byte {
	return at.UTC().AppendFormat(b, stampLayout)
}

// parseStamp reads the stampLen bytes of a time. It is stricter than time.Parse,
// which takes a comma for the dot and a sign for a digit.
func parseStamp(b []byte) (time.Time, error) {
	at, err := time.Parse(stampLayout, string(b))
	if err != nil || b[stampDot] != '.' || b[stampLen-1] != 'Z' || bytes.ContainsAny(b[stampDot:], "+-") {
		return time.Time{}, fmt.Errorf("time: %w", ErrMalformed)
	}
	return at, nil
}

// appendHeader adds to b what stands before the text of an entry.
func appendHeader(b, stamp []byte, stream string, partial bool) []byte {
	b = append(b, stamp...)
	b = append(b, ' ')
	b = append(b, stream...)
	if partial {
		return append(b, " P "...)
	}
	return append(b, " F "...)
}

// streamName spares an allocation for the streams there are.
func streamName(b []byte) string {
	switch string(b) {
	case Stdout:
		return Stdout
	case Stderr:
		return Stderr
	case Syslog:
		return Syslog
	case System:
		return System
	}
	return string(b)
}

// validStream keeps a stream's name to lower-case letters, few enough for
// maxHeader.
func validStream(b []byte) bool {
	if len(b) == 0 || len(b) > maxHeader/4 {
		return false
	}
	for _, c := range b {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
