package control

import (
	"context"
	"sync"

	rimage "runnel/image"
	"runnel/store"
)

// collection keeps imports and the removal of images apart: an image that has
// been imported is in use by nobody before that is stored. Safe for concurrent
// use.
type collection struct {
	mu sync.Mutex
	// importing counts the imports whose images are not yet stored as used.
	importing int // guarded by mu
	// wanted says that there may be something to collect.
	wanted bool // guarded by mu
	// over is closed when the removal under way ends; nil if there is none.
	over chan struct{} // guarded by mu
}

func newCollection() *collection { return &collection{} }

// hold keeps every image until release.
func (g *collection) hold(ctx context.Context) error {
	for {
		g.mu.Lock()
		over := g.over
		if over == nil {
			g.importing++
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// release reports whether it is now time to collect.
func (g *collection) release() (due bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.importing--
	return g.wanted && g.importing == 0
}

// want asks for a collection.
func (g *collection) want() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wanted = true
}

// begin reports whether a collection may begin; if so, end must follow.
func (g *collection) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.wanted || g.importing > 0 || g.over != nil {
		return false
	}
	g.wanted, g.over = false, make(chan struct{})
	return true
}

func (g *collection) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.over)
	g.over = nil
}

// collectionName is what attention knows the collection by.
const collectionName = "images"

// collect has images removed that nothing needs any more, when no import is
// under way.
func (c *Control) collect() {
	c.collection.want()
	c.attention.call(collectionName, c.collectNow)
}

// agingName is what attention knows collectAged by.
const agingName = "uploads"

// collectAged collects from time to time, until ctx ends: nothing else tells of an
// upload that has grown old and has come to no use.
func (c *Control) collectAged(ctx context.Context, _ string) {
	for wait(ctx, rimage.KeepUploads); ctx.Err() == nil; wait(ctx, rimage.KeepUploads) {
		c.collect()
	}
}

// collectNow removes the images that nothing needs.
func (c *Control) collectNow(ctx context.Context, _ string) {
	if !c.collection.begin() {
		return
	}
	defer c.collection.end()
	keep, err := c.neededImages()
	if err == nil {
		// What is begun is carried through, however often it is asked for.
		err = c.config.Images.Collect(c.ctx, keep)
	}
	if err != nil && c.ctx.Err() == nil {
		c.config.Logger.Warn("cannot remove images that nothing needs", "err", err)
	}
}

// neededImages are the digests of the images of all jobs, of the executions that
// have not ended, and of the revisions that may be served.
func (c *Control) neededImages() (digests []string, err error) {
	err = c.view(func(tx *store.Tx) error {
		// Counted after the state to be read was fixed: an execution that is in it
		// is not missed. One that is stored later has the image of a pin in it; see
		// launch.store.
		unfinished := c.census.running()
		for e := range tx.Newest(kindPins, "") {
			if p := getPin(tx, e.Name); p.Digest != "" {
				digests = append(digests, p.Digest)
			}
		}
		for _, name := range unfinished {
			if n := getNote(tx, name); n.Digest != "" {
				digests = append(digests, n.Digest)
			}
		}
		digests = append(digests, c.revisionImages(tx)...)
		digests = append(digests, namedUploads(tx, unfinished)...)
		return nil
	})
	return digests, err
}

// revisionImages are the digests of the images of the revisions that the fleet
// has, or may yet have: a revision that failed and was let go needs none.
func (c *Control) revisionImages(tx *store.Tx) (digests []string) {
	for e := range tx.Newest(kindRevisionNotes, "") {
		of := getRevisionNote(tx, e.Name)
		if len(of.Digests) > 0 && (c.kept.has(e.Name) || !isBroken(getRevision(tx, e.Name))) {
			digests = append(digests, of.Digests...)
		}
	}
	return digests
}
