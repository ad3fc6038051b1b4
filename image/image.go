// Package image turns a reference into verified, unpacked, shared layers.
//
// A Store owns one directory. Pull resolves a reference to a linux/amd64
// manifest, streams every layer it does not have yet through fetch, hash,
// inflate, hash and unpack, and publishes the result by rename once it is on
// disk. Layers are kept in the form overlayfs takes as lower directories and
// are shared between images by diff ID. Nothing is believed before its digest,
// size and diff ID have been checked to the last byte.
//
// The package knows nothing of containers or mounts. Unpacking keeps ownership,
// devices-as-whiteouts and trusted attributes, so it needs root (CAP_CHOWN,
// CAP_FOWNER, CAP_SETFCAP, CAP_SYS_ADMIN) and Linux 5.6 (openat2).
package image

// Image is an unpacked image, ready to be run. It is immutable.
type Image struct {
	// Reference is what was asked for, as it was written.
	Reference string
	// Digest is that of the manifest, "sha256:…": of the linux/amd64 one where
	// the reference named an index. An uploaded layer on a base has no manifest:
	// it is that of the configuration, which names every layer by its diff ID.
	Digest string
	// Config is what the image says of how to run it.
	Config Config
	// Layers are the absolute paths of the unpacked layers, topmost first, as
	// overlayfs takes its lower directories. No path comes twice.
	Layers []string
}

// Config is the part of an image's configuration that matters to running it.
type Config struct {
	Entrypoint []string
	Cmd        []string
	// Env holds NAME=value.
	Env        []string
	WorkingDir string
	// User is "name", "uid", "name:group" or "uid:gid", empty for root.
	User string
}
