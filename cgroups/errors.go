package cgroups

import "errors"

// What a caller may ask an error for with errors.Is. A group that is not there
// answers fs.ErrNotExist.
var (
	// ErrNoCgroups: the host has no cgroup file system mounted.
	ErrNoCgroups = errors.New("no cgroup file system is mounted")
	// ErrPath: a group's path must be absolute, clean and not the root.
	ErrPath = errors.New("not the path of a group")
	// ErrOccupied: a group above holds processes that are not ours to move, so
	// the kernel hands no controllers down through it.
	ErrOccupied = errors.New("processes in the way")
)
