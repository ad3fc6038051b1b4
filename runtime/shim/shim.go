// Package shim is the protocol between the daemon and the shim, and the
// daemon's side of it.
//
// The shim (binary runnel-shim, package runtime/shim/server) is the one parent
// of every container of a root: it creates, starts, signals and reaps them,
// holds their output, and remembers each exit until the daemon has taken it
// over. It is a process of its own so that containers outlive the daemon, and
// so that the binary libcontainer re-executes at every start stays small.
//
// The protocol is a handful of calls on one unix socket: create, start,
// signal, delete, list, hold and fetch, and a stream of exits. They are about
// instances, of one container or a few, which come and go together. A message is
// a length-prefixed JSON object; file descriptors travel beside it. A shim has
// one daemon at a time: a new connection ends the one before, and is greeted once
// every call of that has been carried out.
package shim

import (
	"fmt"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/contract"
)

// CreateRequest describes an instance whose containers are to be created and
// left waiting, each one exec away from its entrypoint.
type CreateRequest struct {
	// ID names the instance on this shim.
	ID string `json:"id"`
	// Filter names the system-call filter, as Client.DefineFilter returned it.
	Filter string `json:"filter"`
	// Containers are the instance's, at least one. Calls name them by their place.
	Containers []ContainerRequest `json:"containers"`
	// Volumes are made for the instance, and go with its last container.
	Volumes []Volume `json:"volumes,omitempty"`
	// Group is the cgroup above those of the containers, made before them and
	// removed after them; nil where there is none.
	Group *Group `json:"group,omitempty"`
}

// ContainerRequest describes one container of an instance.
type ContainerRequest struct {
	// ID names the container on this shim; for one alone it is the instance's.
	ID string `json:"id"`
	// Name is what a person calls it, where there are several.
	Name string `json:"name,omitempty"`
	// Spec is the OCI runtime specification. The shim fills in what only it can
	// know: the root's path, the network namespace's path and the ids of User.
	// It has no system-call filter of its own, see Filter.
	Spec *specs.Spec `json:"spec"`
	// Layers are the absolute paths of the read-only layers, topmost first.
	Layers []string `json:"layers"`
	// Files are written into the root before the container starts.
	Files []File `json:"files,omitempty"`
	// User is the image's or the caller's USER, resolved inside the root.
	User string `json:"user,omitempty"`
	// Mounts are where the container sees the instance's volumes.
	Mounts []Mount `json:"mounts,omitempty"`
	// LogPath is where the container's output goes; LogLimit bounds each of
	// the two files it may take, in bytes.
	LogPath  string `json:"logPath"`
	LogLimit int64  `json:"logLimit"`
}

// Volume is an empty directory in memory that every user may write to. Its pages
// are charged to the cgroup of who writes them.
type Volume struct {
	// Size is how much fits into it, more than nothing.
	Size contract.Bytes `json:"size"`
}

// Mount is where a container sees a volume.
type Mount struct {
	// Volume is the place of one of the instance's volumes.
	Volume int `json:"volume"`
	// Path is a directory in the container, absolute; it is made if missing.
	// Links in it stay beneath the root, and lead to none of the kernel's file
	// systems.
	Path string `json:"path"`
	// SubPath is the directory of the volume that is seen, made if missing.
	SubPath string `json:"subPath,omitempty"`
}

// Group is a cgroup that holds no process itself.
type Group struct {
	// Path is the group's, the same in every hierarchy.
	Path string `json:"path"`
	// Resources bound everything below it.
	Resources *specs.LinuxResources `json:"resources,omitempty"`
}

// CheckID says whether s may name an instance or a container: the name becomes a
// directory, a cgroup and a log file.
func CheckID(s string) error {
	if !contract.IsLabel(s) {
		return fmt.Errorf("%q cannot name an instance: want at most 63 lower-case letters, digits and hyphens", s)
	}
	return nil
}

// File is a small file that every instance finds in its root.
type File struct {
	// Path is absolute inside the root; links in it stay beneath the root.
	Path string `json:"path"`
	// Content replaces whatever the image had there. The file belongs to root
	// and has mode 0644.
	Content string `json:"content"`
}

// Exit is how a container ended. The shim keeps it, on disk, until it is
// acknowledged.
type Exit struct {
	// ID is the instance's, Container the container's place in it.
	ID        string `json:"id"`
	Container int    `json:"container,omitempty"`
	// Code is the exit status if Signal is 0.
	Code   int            `json:"code"`
	Signal syscall.Signal `json:"signal,omitempty"`
	// OOMKilled says that the kernel ended a process of the instance for
	// memory.
	OOMKilled bool `json:"oomKilled,omitempty"`
	// MemoryPeak is the highest usage of the instance's cgroup, 0 if unknown.
	MemoryPeak contract.Bytes `json:"memoryPeak,omitempty"`
	// LogDropped counts the bytes of output that could not be written.
	LogDropped int64 `json:"logDropped,omitempty"`
	// Started says that Start had been called.
	Started bool      `json:"started,omitempty"`
	At      time.Time `json:"at"`
}

// State is how far a container has come.
type State string

// The states of a container.
const (
	// Created means waiting for Start.
	Created State = "created"
	// Running means that Start has been called and the exit not yet seen.
	Running State = "running"
	// Stopped means that the exit is known.
	Stopped State = "stopped"
)

// Instance is one entry of List.
type Instance struct {
	ID string `json:"id"`
	// Containers are in the order of the instance's. Of one that an earlier shim
	// had only those are left whose exit is known.
	Containers []Container `json:"containers"`
}

// Container is how far one container of an instance has come.
type Container struct {
	State State `json:"state"`
	// PID is the main process's in the host's namespace, 0 once stopped.
	PID int `json:"pid,omitempty"`
	// Exit is set once stopped.
	Exit *Exit `json:"exit,omitempty"`
}
