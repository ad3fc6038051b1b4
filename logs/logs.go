package logs

import "runnel/control"

// Logs are the logs of all instances of a control plane. It is safe for
// concurrent use.
type Logs struct {
	control *control.Control
	dir     string
	// lists bounds how many lists are made at a time: each may hold maxPage
	// bytes.
	lists chan struct{}
}

// concurrentLists is how many lists are made at a time.
const concurrentLists = 8

// New returns the logs of c's instances, which are in dir, the launcher's log
// directory.
func New(c *control.Control, dir string) *Logs {
	return &Logs{control: c, dir: dir, lists: make(chan struct{}, concurrentLists)}
}
