package wire

import (
	"net/http"
	"time"
)

// answer is a ResponseWriter that knows whether the answer has begun, and ends
// the connection of a client that takes nothing of it.
type answer struct {
	http.ResponseWriter
	rc *http.ResponseController
	// code is the status, 0 before the answer has begun.
	code int
	// atMost is how long one write may take.
	atMost time.Duration
	// lift says that the deadline of a write must not outlast it: on HTTP/2 it
	// ends a call that has nothing to say for a while.
	lift bool
}

// newAnswer is the answer to r.
func newAnswer(w http.ResponseWriter, r *http.Request, atMost time.Duration) *answer {
	return &answer{ResponseWriter: w, rc: http.NewResponseController(w), atMost: atMost, lift: r.ProtoMajor > 1}
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(code int) {
	if a.code == 0 && code >= 200 {
		a.code = code
	}
	defer a.hurry()()
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	defer a.hurry()()
	return a.ResponseWriter.Write(p)
}

// FlushError is Flush for http.ResponseController.
func (a *answer) FlushError() error {
	defer a.hurry()()
	return a.rc.Flush()
}

// Flush implements http.Flusher.
func (a *answer) Flush() {
	_ = a.FlushError() // the next write tells
}

// Unwrap lets http.ResponseController reach what is inside.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// hurry sets a deadline for what is written next, and returns what is to be
// done after that. What net/http writes after the handler has the deadline of
// the last write.
func (a *answer) hurry() (after func()) {
	_ = a.rc.SetWriteDeadline(time.Now().Add(a.atMost)) // net/http has no writer that cannot
	if !a.lift {
		return func() {}
	}
	return func() { _ = a.rc.SetWriteDeadline(time.Time{}) }
}
