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
// signal, delete, list, hold and fetch, and a stream of exits. A message is a
// length-prefixed JSON object; file descriptors travel beside it. A shim has one
// daemon at a time: a new connection ends the one before, and is greeted once
// every call of that has been carried out.
package shim

import (
	"fmt"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"runnel/contract"
)

// CreateRequest describes a container to be created and left waiting, one
// exec away from its entrypoint.
type CreateRequest struct {
	// ID names the container on this shim.
	ID string `json:"id"`
	// Spec is the OCI runtime specification. The shim fills in what only it can
	// know: the root's path, the network namespace's path and the ids of User.
	// It has no system-call filter of its own, see Filter.
	Spec *specs.Spec `json:"spec"`
	// Filter names the system-call filter, as Client.DefineFilter returned it.
	Filter string `json:"filter"`
	// Layers are the absolute paths of the read-only layers, topmost first.
	Layers []string `json:"layers"`
	// Files are written into the root before the container starts.
	Files []File `json:"files,omitempty"`
	// User is the image's or the caller's USER, resolved inside the root.
	User string `json:"user,omitempty"`
	// LogPath is where the container's output goes; LogLimit bounds each of
	// the two files it may take, in bytes.
	LogPath  string `json:"logPath"`
	LogLimit int64  `json:"logLimit"`
}

// CheckID says whether s may name a container: the name becomes a directory, a
// cgroup and a log file.
func CheckID(s string) error {
	if !contract.IsLabel(s) {
		return fmt.Errorf("%q cannot name a container: want at most 63 lower-case letters, digits and hyphens", s)
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
	ID string `json:"id"`
	// Code is the exit status if Signal is 0.
	Code   int            `json:"code"`
	Signal syscall.Signal `json:"signal,omitempty"`
	// OOMKilled says that the kernel ended a process of the container for
	// memory.
	OOMKilled bool `json:"oomKilled,omitempty"`
	// MemoryPeak is the highest usage of the container's cgroup, 0 if unknown.
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

// Container is one entry of List.
type Container struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	// PID is the main process's in the host's namespace, 0 once stopped.
	PID int `json:"pid,omitempty"`
	// Exit is set once stopped.
	Exit *Exit `json:"exit,omitempty"`
}
