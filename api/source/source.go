// Package source is the door through which images come that are in no registry:
// a directory to be laid on a base image, or an image that somebody has built.
// It streams what it is sent to control and keeps none of it. It is this host's
// own: Google's API has an upload to a bucket, and a build, in its place.
package source

// Path is where uploads are posted: the body is the tar of a layer on the image
// that the parameter base names or, without that, an archive of an image. The
// parameter name is what the image is called.
const Path = "/source/v1/images"

// Answer is what an upload is answered with.
type Answer struct {
	// Image is the reference to deploy.
	Image string `json:"image"`
}
