package runtime

import (
	"context"
	"maps"
)

// EndAll ends and deletes every instance there is, as the end of a launcher
// whose instances are not to outlive it: nobody may use one any more. Each is
// tried. The launcher is Idle afterwards, unless there is an error.
func (l *Launcher) EndAll(ctx context.Context) error {
	for id, end := range l.exits.all() {
		l.survivors.put(id, end)
	}
	return l.EndSurvivors(ctx)
}

// letGo closes what instances that have not been deleted hold open.
func (e *exits) letGo() {
	for _, end := range e.all() {
		_ = end.cpu.close() // nothing is lost by it
	}
}

// all is a copy of what is known.
func (e *exits) all() map[string]*ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.known)
}
