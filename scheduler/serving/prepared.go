package serving

import "slices"

// prepare has a loop counted among those with a prepared instance, as the one
// used last. Where there are too many, the one used longest ago has to do without
// its own.
func (f *Fleet) prepare(l *loop) (allowed bool) {
	if f.config.Prepared < 0 {
		return false
	}
	f.mu.Lock()
	f.prepared = append(slices.DeleteFunc(f.prepared, func(other *loop) bool { return other == l }), l)
	var dropped *loop
	if len(f.prepared) > f.config.Prepared {
		dropped = f.prepared[0]
		f.prepared = slices.Delete(f.prepared, 0, 1)
	}
	f.mu.Unlock()
	if dropped != nil {
		dropped.wish(func(w *wishes) { w.bare = true })
	}
	return true
}

// unprepare does not count a loop among those any more.
func (f *Fleet) unprepare(l *loop) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prepared = slices.DeleteFunc(f.prepared, func(other *loop) bool { return other == l })
}
