package serving

// Scale is how many instances a revision may have, as its own settings, its
// service's and its share of the traffic have it.
type Scale struct {
	// Min and Max bound the instances. A Max of 0 stops them all.
	Min, Max int
	// Manual is how many there are to be, where it is not negative, as it must
	// not be in a worker pool.
	Manual int
	// Yield is how many of them a revision of the same worker pool may take the
	// places of while it is being deployed, where there is no room for both.
	Yield int
}

// Status is a revision's instances at one moment.
type Status struct {
	// Desired is how many there should be, Ready how many are ready, to take
	// requests where there are any, Starting how many are on their way.
	Desired, Ready, Starting int
	// Active and Waiting are requests.
	Active, Waiting int
	// Failure is why the last start failed; nil if it did not.
	Failure *StartError
}

// Status looks at a revision; the zero value if it is not known.
func (f *Fleet) Status(revision string) Status {
	l := f.find(revision)
	if l == nil {
		return Status{}
	}
	l.mu.Lock()
	s := l.shown
	l.mu.Unlock()
	stats := l.pool.Stats()
	s.Active, s.Waiting = stats.Active, stats.Waiting
	return s
}

// show publishes what has become of the revision.
func (l *loop) show() {
	now := Status{Desired: l.desired, Failure: l.failure}
	for _, i := range l.instances {
		switch {
		case i.phase == ready:
			now.Ready++
		case i.going():
			now.Starting++
		}
	}
	l.mu.Lock()
	changed := now != l.shown
	l.shown = now
	l.mu.Unlock()
	if changed {
		l.fleet.config.Changed(l.plan.name)
	}
}
