// Package runtime assembles, watches and stops one instance: a container of an
// image with its own network namespace, metadata endpoint, cgroup and
// memory-backed root, or several that share the network and volumes in memory.
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
	// hyphens, at most 60 characters. It becomes the cgroup's and the log
	// file's name; see ContainerID for those of further containers.
	ID string
	// Hostname is what uname says inside; the ID if empty.
	Hostname string
	// Containers are the instance's, at least one and at most
	// contract.MaxContainers. They share its network namespace and its volumes,
	// and nothing else.
	Containers []Container
	// Volumes are directories in memory that its containers may mount.
	Volumes []Volume
	// Identity is what the metadata server answers to this instance.
	Identity metadata.Identity
}

// Container describes one container of an instance.
type Container struct {
	// Name tells it from the instance's others; it may be empty where it is the
	// only one.
	Name string
	// Image is the unpacked image. The caller keeps it from being collected
	// until the instance's Delete has returned.
	Image *rimage.Image
	// Command and Args replace the image's ENTRYPOINT and CMD as Cloud Run
	// does: a Command drops the image's CMD, Args alone keep its ENTRYPOINT.
	Command, Args []string
	// Env is added to the image's, NAME=value; later entries win.
	Env []string
	// AddressEnv are variables that hold the instance's address, which is not
	// known before there is one: NAME= and what follows the address. They win
	// over Env.
	AddressEnv []string
	// WorkingDir replaces the image's, if not empty.
	WorkingDir string
	// Limits bound the container's CPU, memory and processes. The instance's
	// memory is bound by the sum of its containers'.
	Limits cgroups.Limits
	// Mounts are where it sees the instance's volumes.
	Mounts []Mount
}

// Volume is a directory in memory, empty when the instance begins. What is
// written to it is charged to the memory of the container that writes it.
type Volume struct {
	// Name is what mounts call it.
	Name string
	// Size is how much fits into it.
	Size contract.Bytes
}

// Mount is where a container sees a volume.
type Mount struct {
	// Volume is the name of one of the instance's volumes.
	Volume string
	// Path is absolute in the container, and hides what the image has there.
	Path string
	// SubPath is the directory of the volume that is seen, made if it is not
	// there; empty for all of it.
	SubPath string
}

// Exit is how an instance ended: with the first of its containers that did.
type Exit struct {
	contract.Exit
	// Container is its place in the Spec. OOMKilled is true whichever container
	// lost a process for memory.
	Container int
	// At is when the end was seen.
	At time.Time
	// MemoryPeak is the highest memory usage of the instance's cgroup; 0 where
	// the kernel does not tell.
	MemoryPeak contract.Bytes
}
