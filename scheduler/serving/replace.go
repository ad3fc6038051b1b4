package serving

// Where the host has no room for the instances of two revisions of a worker pool,
// those of the one that is being deployed take the places of the others one by
// one, as far as these are to go anyway. If it turns out that they are not well,
// the others come back.

// deploys reports whether somebody waits for the instances of a worker pool.
func (l *loop) deploys(w *wishes) bool { return !l.plan.serves() && len(w.waiters) > 0 }

// stays is how many instances stay whatever another revision wants.
func (s Scale) stays() int { return s.Manual - s.Yield }

// predecessor is another revision of the worker pool that can make way: the one
// with the most instances to give; nil if there is none.
func (l *loop) predecessor(others []*loop) (from *loop) {
	most := 0
	for _, other := range others {
		if other.owner() != l.owner() {
			continue
		}
		other.mu.Lock()
		n := min(other.shown.Ready, other.shown.Ready+other.shown.Starting-other.wishes.scale.stays())
		other.mu.Unlock()
		if n > most {
			from, most = other, n
		}
	}
	return from
}

// isReplaced reports whether another revision of the worker pool, which is being
// deployed and has no room, may have the place of an instance that is missing, or
// would be.
func (l *loop) isReplaced(w *wishes, going int) bool {
	if l.plan.serves() || going < w.scale.stays() {
		return false
	}
	for _, other := range l.others() {
		if other.owner() != l.owner() {
			continue
		}
		other.mu.Lock()
		waits := other.crowded && other.deploys(&other.wishes)
		other.mu.Unlock()
		if waits {
			return true
		}
	}
	return false
}

// makeWay ends the oldest instance for that of another revision, unless one is on
// its way out.
func (l *loop) makeWay(w *wishes) {
	if l.count(ending) > 0 || !l.isReplaced(w, l.going()-1) {
		return
	}
	var oldest *instance
	for _, i := range l.instances {
		if i.phase == ready && (oldest == nil || i.order < oldest.order) {
			oldest = i
		}
	}
	if oldest != nil {
		l.end(oldest)
	}
}
