package control

import (
	"context"

	rimage "runnel/image"
	"runnel/store"
)

// collectionName is what attention knows the collection by.
const collectionName = "images"

// collect has images removed that nothing needs any more.
func (c *Control) collect() { c.attention.again(collectionName, c.collectNow) }

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
func (c *Control) collectNow(context.Context, string) {
	err := c.config.Images.Collect(c.ctx, c.neededImages)
	if err != nil && c.ctx.Err() == nil {
		c.config.Logger.Warn("cannot remove images that nothing needs", "err", err)
	}
}

// neededImages are the digests of the images of all jobs, of the executions that
// have not ended, and of the revisions that may be served.
func (c *Control) neededImages() (digests []string, err error) {
	err = c.view(func(tx *store.Tx) error {
		// Counted after the state to be read was fixed: an execution that is in it
		// is not missed. One that is stored later has the image of a pin in it (see
		// launch.store), or of one whose lease cannot end before this collection has
		// decided.
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
