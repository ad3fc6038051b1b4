package main

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"runnel/runtime/logfile"
)

// logLine is one line of a task's output.
type logLine struct {
	task, attempt int
	logfile.Entry
}

// jsonLine is a logLine as JSON.
type jsonLine struct {
	Time    time.Time `json:"time"`
	Task    int       `json:"task"`
	Attempt int       `json:"attempt"`
	Stream  string    `json:"stream"`
	Text    string    `json:"text"`
	// Bytes is the text as it was printed, in base64, where Text cannot hold
	// it because it is no valid UTF-8.
	Bytes []byte `json:"bytes,omitempty"`
	// Partial says that the line goes on in the task's next one.
	Partial bool `json:"partial,omitempty"`
}

// appendText adds l to b as "TASK STREAM TEXT".
func (l logLine) appendText(b []byte) []byte {
	b = strconv.AppendInt(b, int64(l.task), 10)
	b = append(b, ' ')
	b = append(b, l.Stream...)
	b = append(b, ' ')
	b = append(b, l.Text...)
	return append(b, '\n')
}

// appendJSON adds l to b as a line of JSON.
func (l logLine) appendJSON(b []byte) []byte {
	j := jsonLine{
		Time:    l.Time,
		Task:    l.task,
		Attempt: l.attempt,
		Stream:  l.Stream,
		Text:    string(l.Text),
		Partial: l.Partial,
	}
	if !utf8.Valid(l.Text) {
		j.Bytes = l.Text
	}
	return appendJSONLine(b, j)
}

// appendJSONLine adds v, which can be marshalled, to b.
func appendJSONLine(b []byte, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for a type that JSON cannot express
	}
	return append(append(b, data...), '\n')
}
