package image

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
)

// flight is one layer on its way from a source to the store's temporary
// directory, shared by every pull that wants it. The pull that started it runs
// it; the others wait. It keeps its unpacked directory until the first of them
// publishes it, or the last has left.
type flight struct {
	key  flightKey
	done chan struct{} // closed when err, diffID and dir are set
	// current is how many bytes of the blob have been read.
	current atomic.Int64
	running atomic.Bool

	err    error
	diffID digest
	dir    string // temporary directory, with the layer under "root"

	refs      int  // guarded by Store.mu
	published bool // guarded by Store.mu
}

// flightKey is what makes two layers the same one before they are verified.
// Both digests count: a manifest may claim another's diff ID for its own blob,
// and must not make that other's pull fail.
type flightKey struct{ blob, diffID digest }

func (f *flight) status() State {
	if f.running.Load() {
		return Fetching
	}
	return Waiting
}

// join finds out how to get a layer: it is there (flight nil), it is on its way,
// or the caller is the one to run it (mine). diffID is what is known of it; a
// layer of which it is known is pinned against collection.
func (s *Store) join(l layer, pins *[]string) (f *flight, diffID digest, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if diffID = s.diffIDOf(l); diffID != "" {
		s.pin(string(diffID), pins)
		if s.hasLayer(diffID) {
			return nil, diffID, false
		}
	}
	key := flightKey{l.digest, l.diffID}
	if f = s.flights[key]; f == nil {
		f, mine = &flight{key: key, done: make(chan struct{})}, true
		s.flights[key] = f
	}
	f.refs++
	return f, diffID, mine
}

// hold pins the layer that a flight brought. It fails if another pull of the
// flight published the layer and has ended, and a collection took it since.
func (s *Store) hold(f *flight, pins *[]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pin(string(f.diffID), pins)
	return !f.published || s.hasLayer(f.diffID)
}

// leave drops a pull's interest. The last one out removes what was not
// published.
func (s *Store) leave(f *flight) error {
	s.mu.Lock()
	f.refs--
	last := f.refs == 0
	if last {
		s.forget(f)
	}
	s.mu.Unlock()
	if !last || f.dir == "" {
		return nil
	}
	// Whoever ran the flight left after it landed, so nobody writes any more.
	return os.RemoveAll(f.dir)
}

// forget keeps new pulls from joining a flight. Store.mu is held.
func (s *Store) forget(f *flight) {
	if s.flights[f.key] == f {
		delete(s.flights, f.key)
	}
}

// diffIDOf is a layer's diff ID as far as it is known before unpacking. Store.mu
// is held.
func (s *Store) diffIDOf(l layer) digest {
	if l.diffID != "" {
		return l.diffID
	}
	return s.diffIDs[l.digest]
}

// publish makes unpacked layers visible; all flights have landed and are held.
// They must be on disk: a rename may become durable at any moment.
func (s *Store) publish(flights []*flight) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range flights {
		if f.err != nil {
			continue // another flight brought the layer after all
		}
		if !f.published && !s.hasLayer(f.diffID) {
			err := os.Rename(filepath.Join(f.dir, "root"), s.layerDir(f.diffID))
			if err != nil {
				return err
			}
		}
		f.published = true
		if f.key.blob != "" {
			s.diffIDs[f.key.blob] = f.diffID
		}
		s.forget(f)
	}
	return nil
}

// hasLayer looks on the disk, so that a layer someone removed is fetched again.
func (s *Store) hasLayer(d digest) bool {
	info, err := os.Lstat(s.layerDir(d))
	return err == nil && info.IsDir()
}

// pin keeps a digest (of a layer or an image) from being collected until the
// pull or the lease that holds pins is over. Store.mu is held.
func (s *Store) pin(d string, pins *[]string) {
	s.pinned[d]++
	*pins = append(*pins, d)
}

// letGo ends the pins of a pull. Its lease, if it has one, is told whether it is
// time to collect.
func (s *Store) letGo(pins []string, l *Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if due := s.unpin(pins); l != nil {
		l.due = l.due || due
	}
}

// unpin ends pins, and reports whether a collection has left something for the sake
// of pins of which these were the last. Store.mu is held.
func (s *Store) unpin(pins []string) (due bool) {
	for _, d := range pins {
		if s.pinned[d]--; s.pinned[d] == 0 {
			due = due || s.spared[d]
			delete(s.pinned, d)
			delete(s.spared, d)
		}
	}
	return due
}

// leaveAll leaves several flights.
func (s *Store) leaveAll(flights []*flight) error {
	var errs []error
	for _, f := range flights {
		errs = append(errs, s.leave(f))
	}
	return errors.Join(errs...)
}
