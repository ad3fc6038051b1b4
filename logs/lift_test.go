package logs

import (
	"bytes"
	"testing"
	"time"
)

// Lines as logging libraries of several languages print them.
//
// contract: LOG-6
func TestLift(t *testing.T) {
	t.Parallel()
	const about = `{"logName":"","resource":{"type":"","labels":null},`
	const at = `"timestamp":"2026-11-21T10:00:00Z","receiveTimestamp":"2026-11-21T10:00:00Z",`
	const lifted = `"timestamp":"2020-01-02T03:04:05.6Z","receiveTimestamp":"2026-11-21T10:00:00Z",`
	for line, want := range map[string]string{
		// No objects.
		`plain`:          at + `"severity":"DEFAULT","insertId":"","textPayload":"plain"}`,
		``:               at + `"severity":"DEFAULT","insertId":"","textPayload":""}`,
		`[1,2]`:          at + `"severity":"DEFAULT","insertId":"","textPayload":"[1,2]"}`,
		`{"torn":`:       at + `"severity":"DEFAULT","insertId":"","textPayload":"{\"torn\":"}`,
		`{"a":1} {"b":}`: at + `"severity":"DEFAULT","insertId":"","textPayload":"{\"a\":1} {\"b\":}"}`,
		"bad \xff byte":  at + `"severity":"DEFAULT","insertId":"","textPayload":"bad \ufffd byte"}`,
		// What Cloud Run's documentation shows.
		`{"message":"hi"}`:                     at + `"severity":"DEFAULT","insertId":"","textPayload":"hi"}`,
		`{"severity":"NOTICE","message":"hi"}`: at + `"severity":"NOTICE","insertId":"","textPayload":"hi"}`,
		` {"severity":"ERROR","message":"bad","component":"x","logging.googleapis.com/trace":"projects/p/traces/t"} `: at + `"severity":"ERROR","insertId":"","jsonPayload":{"component":"x","message":"bad"},"trace":"projects/p/traces/t"}`,
		// Go's slog with the keys renamed.
		`{"time":"2020-01-02T03:04:05.6Z","severity":"INFO","message":"m","n":12345678901234567890}`: lifted + `"severity":"INFO","insertId":"","jsonPayload":{"message":"m","n":12345678901234567890}}`,
		// Go's slog as it is: level is no severity.
		`{"time":"2020-01-02T04:04:05.6+01:00","level":"INFO","msg":"m"}`: lifted + `"severity":"DEFAULT","insertId":"","jsonPayload":{"level":"INFO","msg":"m"}}`,
		// zap's and logrus' Google encoders.
		`{"severity":"warn","timestamp":{"seconds":1577934245,"nanos":600000000},"caller":"a.go:1"}`: lifted + `"severity":"WARNING","insertId":"","jsonPayload":{"caller":"a.go:1"}}`,
		// Node's winston and bunyan transports.
		`{"timestampSeconds":1577934245,"timestampNanos":600000000,"severity":"fatal","message":"m","pid":1}`: lifted + `"severity":"CRITICAL","insertId":"","jsonPayload":{"message":"m","pid":1}}`,
		// Python's structured handler.
		`{"message":"m","severity":"INFO","logging.googleapis.com/labels":{"python_logger":"root","instanceId":"mine"},"logging.googleapis.com/trace":"0123456789abcdef0123456789abcdef","logging.googleapis.com/spanId":"00f067aa0ba902b7","logging.googleapis.com/trace_sampled":true,"logging.googleapis.com/sourceLocation":{"file":"a.py","line":"3"},"httpRequest":{"requestMethod":"GET","status":200}}`: at +
			`"severity":"INFO","insertId":"","labels":{"instanceId":"ours","python_logger":"root"},"textPayload":"m","httpRequest":{"requestMethod":"GET","status":200},"sourceLocation":{"file":"a.py","line":"3"},"trace":"projects/local/traces/0123456789abcdef0123456789abcdef","spanId":"00f067aa0ba902b7","traceSampled":true}`,
		`{"logging.googleapis.com/insertId":"mine","logging.googleapis.com/operation":{"id":"o","first":true},"x":null}`: at + `"severity":"DEFAULT","insertId":"mine","jsonPayload":{"x":null},"operation":{"id":"o","first":true}}`,
		// What is not what it should be stays where it is.
		`{"severity":"LOUD","time":"today","timestamp":"x","httpRequest":"GET /","logging.googleapis.com/labels":{"n":1},"logging.googleapis.com/trace_sampled":"yes"}`: at + `"severity":"DEFAULT","insertId":"","jsonPayload":{"httpRequest":"GET /","logging.googleapis.com/labels":{"n":1},"logging.googleapis.com/trace_sampled":"yes","severity":"LOUD","time":"today","timestamp":"x"}}`,
		`{"timestampSeconds":99999999999999,"message":3}`: at + `"severity":"DEFAULT","insertId":"","jsonPayload":{"message":3}}`,
		`{}`: at + `"severity":"DEFAULT","insertId":"","jsonPayload":{}}`,
	} {
		now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
		e := Entry{Severity: severityDefault, Timestamp: now, ReceiveTimestamp: now}
		if bytes.Contains([]byte(line), []byte("python")) {
			e.Labels = map[string]string{labelInstance: "ours"}
		}
		if !lift(&e, "local", []byte(line)) {
			e.setText(line)
		}
		var got bytes.Buffer
		if err := encode(&got, &e); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if got.String() != about+want+"\n" {
			t.Errorf("%s\nis  %swant %s", line, got.String(), about+want)
		}
	}
}

// Whatever an instance prints, an entry comes of it.
func FuzzLift(f *testing.F) {
	for _, seed := range []string{`{"severity":"ERROR","message":"x"}`, `{"timestamp":{"seconds":1}}`, `{`, `{"time":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e := Entry{Severity: severityDefault}
		if !lift(&e, "local", line) {
			e.setText(string(line))
		}
		if err := encode(new(bytes.Buffer), &e); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if (e.TextPayload == nil) == (e.JSONPayload == nil) {
			t.Errorf("%q: %+v", line, e)
		}
	})
}
