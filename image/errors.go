package image

import "errors"

// The reasons for which a reference does not become an image. Errors of this
// package wrap at most one of them, but for ErrBase; match with errors.Is.
var (
	// ErrReference: the reference cannot be read.
	ErrReference = errors.New("not an image reference")
	// ErrNotFound: no such repository, tag, digest, file or stored image.
	ErrNotFound = errors.New("not found")
	// ErrUnauthorized: the registry wants credentials, or better ones.
	// Registries also answer so for repositories that do not exist.
	ErrUnauthorized = errors.New("not authorized, or no such repository")
	// ErrUnreachable: the registry does not answer, breaks off, or fails.
	ErrUnreachable = errors.New("registry unreachable")
	// ErrRefusedHost: a registry sent the puller to an address it must not
	// contact, or over a connection that is not encrypted.
	ErrRefusedHost = errors.New("refused to follow the registry")
	// ErrPlatform: the image is not, or does not contain, linux/amd64.
	ErrPlatform = errors.New("no linux/amd64 image")
	// ErrInvalidManifest: a manifest, index or configuration breaks its format.
	ErrInvalidManifest = errors.New("invalid manifest")
	// ErrDigest: content is not what its digest or size says.
	ErrDigest = errors.New("content does not match")
	// ErrInvalidLayer: a layer cannot be inflated, is no tar stream, or holds an
	// entry that must not be unpacked.
	ErrInvalidLayer = errors.New("invalid layer")
	// ErrTooLarge: a bound on size or number of entries was passed.
	ErrTooLarge = errors.New("too large")
	// ErrNoSpace: the store's disk is full, or would fall below its reserve.
	ErrNoSpace = errors.New("no space left on the image store's disk")
	// ErrBase: the image that an upload is to be laid on cannot be had. It stands
	// beside the one that says why.
	ErrBase = errors.New("base image")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("image store is in use by another process")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("image store is closed")
)
