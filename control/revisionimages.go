package control

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
	"runnel/store"
)

// pinImages imports the images of a revision, in the order of its containers,
// and stores what they are. From then on the revision means these.
func (c *Control) pinImages(ctx context.Context, r servedRevision) (images []*rimage.Image, pinned *runpb.Revision, err error) {
	lease := c.config.Images.Lease()
	defer c.release(lease)
	if images, err = imagesOf(ctx, lease, r.note); err != nil {
		return nil, nil, err
	}
	err = c.persist(ctx, func(tx *store.Tx) error {
		pinned = getRevision(tx, r.GetName())
		if pinned.GetUid() != r.GetUid() {
			return errSuperseded
		}
		of := getRevisionNote(tx, r.GetName())
		if len(of.Digests) > 0 && checkDigests(of, images) == nil {
			return nil
		}
		of.Digests = nil
		for i, img := range images {
			of.Digests = append(of.Digests, img.Digest)
			pinned.Containers[i].Image = byDigest(of.References[i], img.Digest)
		}
		pinned.UpdateTime = after(pinned.GetUpdateTime())
		message := "Container image import completed in " + took(sinceCreated(pinned)) + "."
		pinned.Conditions = setCondition(pinned.Conditions, succeeded(containerReady, message), pinned.GetUpdateTime())
		putRevision(tx, pinned)
		putRevisionNote(tx, pinned, of)
		return nil
	})
	return images, pinned, err
}

// checkDigests says which image is not the one that was pinned. What a file holds
// by now is for a new revision.
func checkDigests(of revisionNote, images []*rimage.Image) error {
	for i, img := range images {
		if want := of.Digests[i]; img.Digest != want {
			return fmt.Errorf("image %s is another one now, %s; want %s: put that back, or deploy a new revision", of.References[i], img.Digest, want)
		}
	}
	return nil
}

// imagesOf gets the images of a revision.
func imagesOf(ctx context.Context, l Lease, of revisionNote) (images []*rimage.Image, err error) {
	for i, reference := range of.References {
		var digest string
		if i < len(of.Digests) {
			digest = of.Digests[i]
		}
		img, err := obtain(ctx, l, reference, digest)
		if err != nil {
			why := &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: imageReason(err)}}
			return nil, &deployError{containerReady, failing(containerReady, imageMessage(reference, err), why), err}
		}
		images = append(images, img)
	}
	return images, nil
}

// imageMessage says that an image cannot be had.
func imageMessage(reference string, err error) string {
	if errors.Is(err, rimage.ErrNotFound) {
		return fmt.Sprintf("Image '%s' not found.", reference)
	}
	return fmt.Sprintf("Image '%s' cannot be used: %v", reference, err)
}

// localImages are the images of a revision, if all of them are there.
func (c *Control) localImages(of revisionNote) (images []*rimage.Image, ok bool) {
	for _, digest := range of.Digests {
		img, err := c.config.Images.Image(digest)
		if err != nil {
			return nil, false
		}
		images = append(images, img)
	}
	return images, len(of.Digests) > 0
}
