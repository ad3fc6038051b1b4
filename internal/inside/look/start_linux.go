package look

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Start is what the program was started with.
type Start struct {
	// Args are all of them, the program's name first.
	Args []string `json:"args"`
	// Env is NAME=value, as it was given.
	Env []string `json:"env"`
	// Dir is the working directory, Program the path of what runs.
	Dir     string `json:"dir"`
	Program string `json:"program"`
	// Stdin is what could be read of standard input without waiting: how many
	// bytes, or the error.
	Stdin string `json:"stdin"`
}

// Descriptor is one that was open at the start.
type Descriptor struct {
	Number int `json:"number"`
	// Target is what /proc says it is.
	Target string `json:"target"`
}

// Beginning is what can be seen at the start only.
type Beginning struct {
	Start       Start
	Descriptors []Descriptor
	Signals     Signals
}

// AtStart is called first, before anything opens a file.
func AtStart() Beginning {
	b := Beginning{Descriptors: open(), Start: Start{Args: slices.Clone(os.Args), Env: os.Environ(), Stdin: stdin()}}
	b.Signals = signals(readStatus("self"))
	b.Start.Dir, _ = os.Getwd() // empty where it is gone
	b.Start.Program, _ = os.Readlink("/proc/self/exe")
	return b
}

// open lists the open descriptors. It reads the directory by itself: the
// library's way would open more.
func open() (found []Descriptor) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	buf := make([]byte, 32<<10)
	var names []string
	for {
		n, err := unix.ReadDirent(dir, buf)
		if n <= 0 || err != nil {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil && n != dir {
			target, _ := os.Readlink("/proc/self/fd/" + name) // it may be gone
			found = append(found, Descriptor{n, target})
		}
	}
	return found
}

// stdin reads what is there of standard input, and does not wait for more.
func stdin() string {
	ready := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}}
	n, err := unix.Poll(ready, 0)
	if err != nil {
		return err.Error()
	}
	if n == 0 {
		return "open, with nothing to read"
	}
	got, err := unix.Read(0, make([]byte, 4096))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d bytes", got)
}

// said is an error as a report shows it: of a system call's, its message alone.
func said(err error) string {
	var number unix.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &number):
		return unix.ErrnoName(number)
	}
	return err.Error()
}
