package server

/*
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// Keep in step with launchPath, launchFD and filterFD.
#define LAUNCH_PATH "/proc/self/fd/3"
#define LAUNCH_FD 3
#define FILTER_FD 4

static struct sock_filter program[BPF_MAXINSNS];

// launch is the last step inside a container: it loads the system-call filter
// and becomes the entrypoint. It runs before Go does, and only when this
// program was executed under LAUNCH_PATH:
//
//	LAUNCH_PATH FILE ARGV0 [ARG...]
//
// It is the first of all constructors: libcontainer's own obeys variables of the
// environment, and here the environment is the image's.
__attribute__((constructor(101))) static void launch(int argc, char **argv, char **envp)
{
	if (argc < 3 || strcmp(argv[0], LAUNCH_PATH) != 0)
		return;
	ssize_t n = pread(FILTER_FD, program, sizeof program, 0);
	struct sock_fprog filter = { n > 0 ? n / sizeof *program : 0, program };
	close(LAUNCH_FD);
	close(FILTER_FD);
	if (filter.len == 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
		dprintf(2, "cannot load the system-call filter: %s\n", strerror(errno));
		_exit(126);
	}
	execve(argv[1], argv + 2, envp);
	dprintf(2, "cannot execute %s: %s\n", argv[1], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}
*/
import "C"

import (
	"fmt"
	"os"

	"github.com/opencontainers/runc/libcontainer"
)

// launchPath is what libcontainer executes instead of the entrypoint: this
// program's own sealed copy, which the container has as descriptor launchFD for
// that one moment. Its constructor above loads the filter from filterFD, closes
// both and executes the entrypoint, so that nothing of Runnel's is left in the
// container.
//
// libcontainer could load the filter itself, but compiles it anew at every
// start, which takes longer than the start.
const (
	launchPath = "/proc/self/fd/3"
	launchFD   = 3
	filterFD   = 4
)

// launcher starts entrypoints behind a filter.
type launcher struct{ self *os.File }

// newLauncher opens this program, which runs from a sealed memory file.
func newLauncher() (*launcher, error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("open own program: %w", err)
	}
	return &launcher{self}, nil
}

// wrap makes p load f before it executes file, the entrypoint's path in the
// container.
func (l *launcher) wrap(p *libcontainer.Process, file string, f *filter) {
	p.Args = append([]string{launchPath, file}, p.Args...)
	p.ExtraFiles = []*os.File{launchFD - 3: l.self, filterFD - 3: f.file}
}
