package control

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	rimage "runnel/image"
)

// Images is where images come from and are kept. Safe for concurrent use.
type Images interface {
	// Lease keeps the images that are got by it, until it ends.
	Lease() Lease
	// Image is an image that is there already. It asks no network.
	Image(digest string) (*rimage.Image, error)
	// AddLayer makes an image of the one that base means now and a layer on it,
	// whose tar the upload is, and in whose directory programs start. AddArchive
	// makes it of an archive. Their errors wrap those of the image package.
	AddLayer(ctx context.Context, base, workingDir string, u rimage.Upload) (*rimage.Image, error)
	AddArchive(ctx context.Context, u rimage.Upload) (*rimage.Image, error)
	// Collect removes the images whose digests are not among those in use, but for
	// what a Lease keeps, and for uploads that nobody has imported yet and that are
	// not old. No lease ends from before inUse is asked until it is settled what
	// goes.
	Collect(ctx context.Context, inUse func() (digests []string, err error)) error
}

// Lease is how images are got that nobody is stored to use yet. Safe for
// concurrent use.
type Lease interface {
	// Import gets the image that a reference, by tag or by digest, means now.
	// Its errors wrap those of the image package.
	Import(ctx context.Context, reference string) (*rimage.Image, error)
	// Image is Images.Image.
	Image(digest string) (*rimage.Image, error)
	// End lets the images go. It reports whether a Collect has left something that
	// the lease was the last to keep.
	End() (due bool)
}

// release ends a lease, and collects if that has been waiting for it.
func (c *Control) release(l Lease) {
	if l.End() {
		c.collect()
	}
}

// obtain gives the image of a reference. With a digest, which may be empty, it
// is the one that the reference meant at an earlier time.
func obtain(ctx context.Context, l Lease, reference, digest string) (*rimage.Image, error) {
	if digest != "" {
		if img, err := l.Image(digest); err == nil {
			return img, nil
		}
	}
	return l.Import(ctx, byDigest(reference, digest))
}

// byDigest is a reference that means the image with a digest, whatever becomes
// of its tag. A local file, and a reference that has a digest, stay as they are.
func byDigest(reference, digest string) string {
	parsed, err := rimage.ParseReference(reference)
	if err != nil || digest == "" || parsed.Digest != "" || parsed.Source != rimage.SourceRegistry {
		return reference
	}
	return reference + "@" + digest
}

// imageReason is why an image cannot be had, as conditions say it.
func imageReason(err error) runpb.Condition_CommonReason {
	switch {
	case errors.Is(err, rimage.ErrUnauthorized):
		return runpb.Condition_CONTAINER_IMAGE_UNAUTHORIZED
	case mayPass(err):
		return runpb.Condition_INTERNAL
	default: // there is none, or none that can be run
		return runpb.Condition_CONTAINER_MISSING
	}
}

// mayPass reports whether an image that cannot be had may be another time.
func mayPass(err error) bool {
	return errors.Is(err, rimage.ErrUnreachable) || errors.Is(err, rimage.ErrNoSpace)
}

// imageField is where a job's image stands, as api's errors name it.
const imageField = containerField + ".image"

// checkImage says what keeps a reference from being one, in one line.
func checkImage(reference string) error {
	_, err := rimage.ParseReference(reference)
	if err == nil {
		return nil
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
