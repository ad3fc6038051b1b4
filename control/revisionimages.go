package control

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/scheduler/serving"
	"runnel/store"
)

// pinImages imports the images of a revision, in the order of its containers,
// and stores what they are. From then on the revision means these.
func (c *Control) pinImages(ctx context.Context, r servedRevision) (images []*rimage.Image, pinned *runpb.Revision, err error) {
	if err := c.collection.hold(ctx); err != nil {
		return nil, nil, err
	}
	defer c.released()
	if images, err = c.imagesOf(ctx, r.note); err != nil {
		return nil, nil, err
	}
	err = c.persist(ctx, func(tx *store.Tx) error {
		pinned = getRevision(tx, r.GetName())
		if pinned.GetUid() != r.GetUid() {
			return errSuperseded
		}
		of := getRevisionNote(tx, r.GetName())
		if len(of.Digests) > 0 && sameDigests(of.Digests, images) {
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

// sameDigests reports whether images are those with the digests.
func sameDigests(digests []string, images []*rimage.Image) bool {
	for i, img := range images {
		if digests[i] != img.Digest {
			return false
		}
	}
	return true
}

// imagesOf are the images of a revision.
func (c *Control) imagesOf(ctx context.Context, of revisionNote) (images []*rimage.Image, err error) {
	for i, reference := range of.References {
		var digest string
		if i < len(of.Digests) {
			digest = of.Digests[i]
		}
		img, err := c.obtain(ctx, reference, digest)
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

// concludeRevision gives a revision the conditions of one that is ready, or that
// cannot be.
func concludeRevision(r *runpb.Revision, of revisionNote, failure error) {
	at := r.GetUpdateTime()
	set := func(c *runpb.Condition) { r.Conditions = setCondition(r.Conditions, c, at) }
	r.Reconciling, r.ObservedGeneration = false, r.GetGeneration()
	if failure != nil {
		kind, why := whyNot(failure)
		set(failing(kind, why.GetMessage(), why))
		set(failing(readyCondition, why.GetMessage(), why))
		return
	}
	message := "Deploying revision succeeded in " + took(sinceCreated(r)) + "."
	healthy := succeeded(containerHealthy, "Containers became healthy in "+took(at.AsTime().Sub(conditionOf(r.GetConditions(), containerReady).GetLastTransitionTime().AsTime()))+".")
	if of.Unchecked {
		healthy = succeeded(containerHealthy, "Deploy-time health check was skipped.")
		healthy.Reasons = &runpb.Condition_RevisionReason_{RevisionReason: runpb.Condition_HEALTH_CHECK_SKIPPED}
	}
	set(succeeded(readyCondition, message))
	set(succeeded(resourcesAvailable, message))
	set(healthy)
	if r.GetScaling().GetMinInstanceCount() > 0 && !of.Unchecked {
		set(succeeded(minProvisioned, fmt.Sprintf("The minimum of %d instances is provisioned.", r.GetScaling().GetMinInstanceCount())))
	}
}

// whyNot is which condition of a revision does not hold, and why.
func whyNot(failure error) (kind string, why *runpb.Condition) {
	var start *serving.StartError
	var deploy *deployError
	switch {
	case errors.As(failure, &deploy):
		return deploy.kind, deploy.condition
	case errors.As(failure, &start):
		why := &runpb.Condition{Reasons: &runpb.Condition_RevisionReason_{RevisionReason: start.Reason}}
		return containerHealthy, failing(containerHealthy, start.Message, why)
	case errors.Is(failure, errDeadline):
		why := &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_PROGRESS_DEADLINE_EXCEEDED}}
		return containerHealthy, failing(containerHealthy, "The revision was not ready in time: no instance took requests.", why)
	}
	why = &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_INTERNAL}}
	return containerHealthy, failing(containerHealthy, failure.Error(), why)
}

// containerNames are what the containers of a revision are called where they
// are told apart.
func containerNames(r *runpb.Revision) []string {
	names := make([]string, len(r.GetContainers()))
	for i, k := range r.GetContainers() {
		names[i] = contract.ContainerName(k.GetName(), k.GetImage(), i, len(names))
	}
	return names
}
