// Package runtime assembles, watches and stops one instance: a container of an
// image with its own network namespace, metadata endpoint, cgroup and
// memory-backed root.
//
// It composes the mechanisms (image, net, metadata, cgroups) and the shim, and
// decides nothing: which instance should run is the scheduler's business. It
// needs root.
//
// A launcher is ephemeral, and its instances end with it, or durable. The shim of
// a durable launcher outlives it, however it ends, with every instance, its log,
// and the sockets on which the metadata server and the resolver answer it; the
// next launcher of the same directory adopts them. For that the service manager
// must leave alone what it did not start itself: with systemd, KillMode=process,
// and Delegate=yes where the instances' cgroups are below the unit's.
package runtime

import (
	"time"

	"runnel/cgroups"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/metadata"
)

// Spec describes one instance. Create reads it and keeps no reference to its
// slices.
type Spec struct {
	// ID names the instance on this root: lower-case letters, digits and
	// hyphens, at most 63 characters. It becomes the cgroup's and the log
	// file's name.
	ID string
	// Hostname is what uname says inside; the ID if empty.
	Hostname string
	// Image is the unpacked image. The caller keeps it from being collected
	// until Delete has returned.
	Image *rimage.Image
	// Command and Args replace the image's ENTRYPOINT and CMD as Cloud Run
	// does: a Command drops the image's CMD, Args alone keep its ENTRYPOINT.
	Command, Args []string
	// Env is added to the image's, NAME=value; later entries win.
	Env []string
	// WorkingDir replaces the image's, if not empty.
	WorkingDir string
	// Limits bound the instance's CPU, memory and processes.
	Limits cgroups.Limits
	// Identity is what the metadata server answers to this instance.
	Identity metadata.Identity
}

// Exit is how an instance ended.
type Exit struct {
	contract.Exit
	// At is when the end was seen.
	At time.Time
	// MemoryPeak is the highest memory usage of the instance's cgroup; 0 where
	// the kernel does not tell.
	MemoryPeak contract.Bytes
}
