package logfile

import "time"

// An entry costs the keeper far more than it costs an instance to print a
// newline, so an instance with a sliver of a CPU could keep a whole one busy
// here. It is lent a burst, and beyond that held to a rate that one who prints
// to be read does not come near.
const (
	// entryCost is the time that an entry pays for: a million a second.
	entryCost = time.Microsecond
	// burst is what may be unpaid before anybody waits: 100,000 entries.
	burst = 100 * time.Millisecond
	// maxWait bounds one wait. A Write of more than 50,000 entries does not pay
	// for all of them; pipes deliver far fewer at a time.
	maxWait = 50 * time.Millisecond
)

// pace holds the entries of one log to their rate.
type pace struct {
	entries int       // not yet charged
	paid    time.Time // when all that were charged are paid, less the burst
}

// charge says how long whoever made the entries since the last call has to
// wait; not at all if that is negative, or if there were none.
func (p *pace) charge(now time.Time) time.Duration {
	if p.entries == 0 {
		return 0
	}
	if rested := now.Add(-burst); p.paid.Before(rested) {
		p.paid = rested
	}
	p.paid = p.paid.Add(time.Duration(p.entries) * entryCost)
	p.entries = 0
	if latest := now.Add(maxWait); p.paid.After(latest) {
		p.paid = latest
	}
	return p.paid.Sub(now)
}

// wait lets d pass, or less if the log is closed meanwhile. w.mu is not held,
// so that others go on.
func (w *Writer) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-w.done:
	}
}
