package wire

import "time"

// NewHurried is New with other times for callers: all of them for a body and for
// a write, ten times as much for what comes before a request.
func NewHurried(c Config, all time.Duration) *Server {
	return newServer(c, times{header: 10 * all, body: all, idle: 10 * all, write: all, end: patient().end})
}

// NewNarrow is New for at most so many calls at once, some of which are only
// for callers by a unix socket.
func NewNarrow(c Config, most, own int) *Server {
	s := newServer(c, patient())
	s.calls.max, s.calls.own = most, own
	return s
}
