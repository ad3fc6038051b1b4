package serving

import (
	"sync"

	"runnel/contract"
)

// throttle decides how much CPU an instance has at each moment, and sees that it
// has it: all of it while anything holds, else the least that there is.
// Instances of revisions that are not throttled are held for all their life.
type throttle struct {
	plan *plan
	// set is Instance.SetCPU.
	set func(cpu ...contract.MilliCPU) error

	// mu guards what follows, and keeps calls of set in order.
	mu sync.Mutex
	// holds counts the reasons to have all CPU: a start or stop, a request, a
	// probe.
	holds   int
	boosted bool
	level   level
	over    bool
}

// level is how much CPU an instance has.
type level int

const (
	unknown level = iota
	least
	full
	boost
)

// newThrottle is that of an instance which has just been created, or whose
// level is not known.
func newThrottle(p *plan, set func(cpu ...contract.MilliCPU) error, at level) *throttle {
	t := &throttle{plan: p, set: set, level: at}
	if !p.throttled {
		t.holds++
	}
	return t
}

// hold gives the instance all its CPU until release. It returns when it has it.
func (t *throttle) hold() { t.change(func() { t.holds++ }) }

func (t *throttle) release() { t.change(func() { t.holds-- }) }

// begin gives a start all CPU, and more than that where the revision wants it,
// until settle.
func (t *throttle) begin() { t.change(func() { t.holds, t.boosted = t.holds+1, true }) }

func (t *throttle) settle() { t.change(func() { t.holds, t.boosted = t.holds-1, false }) }

// end leaves the instance as it is for ever.
func (t *throttle) end() { t.change(func() { t.over = true }) }

// change applies what follows from f. A call of set that fails is that of an
// instance which is ending.
func (t *throttle) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	want := least
	cpu := make([]contract.MilliCPU, len(t.plan.full))
	switch {
	case t.boosted && t.plan.boosted != nil:
		want, cpu = boost, t.plan.boosted
	case t.holds > 0:
		want, cpu = full, t.plan.full
	}
	if t.over || want == t.level {
		return
	}
	t.level = want
	if err := t.set(cpu...); err != nil {
		t.level = unknown
	}
}
