package wire

import "time"

// NewHurried is New with other times for callers: all of them for a body and for
// a write, ten times as much for what comes before a request.
func NewHurried(c Config, all time.Duration) *Server {
	return newServer(c, times{header: 10 * all, body: all, idle: 10 * all, write: all, end: patient().end})
}
