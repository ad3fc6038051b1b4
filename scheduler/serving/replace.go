package serving

// Where the host has no room for the instances of two revisions of a worker pool,
// those of the one that is being deployed take the places of the others one by
// one, because nobody waits for either. If it turns out that they are not well,
// the others come back.

// deploys reports whether somebody waits for the instances of a worker pool.
func (l *loop) deploys(w *wishes) bool { return !l.plan.serves() && len(w.waiters) > 0 }

// predecessor is another revision of the worker pool that can make way: the one
// with the most instances; nil if there is none.
func (l *loop) predecessor(others []*loop) (from *loop) {
	most := 0
	for _, other := range others {
		if other.owner() != l.owner() {
			continue
		}
		other.mu.Lock()
		n := other.shown.Ready
		if other.deploys(&other.wishes) {
			n = 0
		}
		other.mu.Unlock()
		if n > most {
			from, most = other, n
		}
	}
	return from
}

// isReplaced reports whether another revision of the worker pool is being deployed
// and has no room.
func (l *loop) isReplaced(w *wishes) bool {
	if l.plan.serves() || l.deploys(w) {
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
	if l.count(ending) > 0 || !l.isReplaced(w) {
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
