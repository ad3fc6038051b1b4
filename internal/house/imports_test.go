package house

import (
	"fmt"
	"slices"
)

// guarded is a dependency that few may import.
type guarded struct {
	// paths are import paths, with what is below them.
	paths []string
	// only are the directories that may, with what is below them.
	only []string
	// linux asks for a file that is for Linux only, wherever it is.
	linux   bool
	because string
}

// dangerous is who may touch what. Test files may touch anything.
var dangerous = []guarded{
	{paths: []string{"github.com/opencontainers/runc", "github.com/opencontainers/cgroups", "C"},
		only:    []string{"runtime/shim/server", "cmd/runnel-shim"},
		because: "libcontainer executes its own binary at every start, and is the only cgo: the daemon is kept free of both"},
	{paths: []string{"github.com/google/go-containerregistry"},
		only:    []string{"image"},
		because: "what comes from a registry is verified in one place"},
	{paths: []string{"github.com/vishvananda/netlink", "github.com/vishvananda/netns", "github.com/mdlayher/netlink", "github.com/google/nftables"},
		only:    []string{"net"},
		because: "who changes the network of the host can be read in one place"},
	{paths: []string{"golang.org/x/sys/unix"},
		linux:   true,
		because: "system calls stand in files named for the system, so that the rest can be tested anywhere"},
	{paths: []string{"cloud.google.com/go/run"},
		only:    []string{"api", "control", "logs", "scheduler", "cmd/runnel", "internal/bench", "integration/rig"},
		because: "Google's messages are the vocabulary of resources; below the scheduler there are plain types"},
	{paths: []string{"github.com/netresearch/go-cron"},
		only:    []string{"scheduler/timetable"},
		because: "when a schedule is due is decided in one place; of the library only the parser is used"},
	{paths: []string{"testing", module + "/internal/testenv", module + "/image/imagetest", module + "/control/controltest", module + "/cmd/runnel/clitest"},
		only:    []string{"internal/testenv", "image/imagetest", "control/controltest", "cmd/runnel/clitest", "integration/rig"},
		because: "what supports tests is not part of the product"},
}

// makesImages may use the test images without being a test.
const makesImages = "internal/mkimage"

// checkDangerous finds imports of guarded dependencies.
func checkDangerous(files []file) (faults []string) {
	for _, f := range files {
		if f.isTest() {
			continue
		}
		for _, d := range f.imports() {
			for _, g := range dangerous {
				if !g.covers(d.path) || g.admits(f, d.path) {
					continue
				}
				faults = append(faults, fmt.Sprintf("%s: %s -> %s: %s", f.at(d.pos), f.dir(), d.path, g.because))
			}
		}
	}
	return faults
}

func (g guarded) covers(p string) bool {
	return slices.ContainsFunc(g.paths, func(root string) bool {
		// "testing/fstest" is as much a matter of tests as "testing".
		return within(p, root)
	})
}

func (g guarded) admits(f file, p string) bool {
	if g.linux {
		return f.isLinux()
	}
	if within(f.dir(), makesImages) && p == module+"/image/imagetest" {
		return true
	}
	return slices.ContainsFunc(g.only, func(dir string) bool { return within(f.dir(), dir) })
}

// renamed are our packages whose own name means the standard library to every
// reader, and what they are imported as.
var renamed = map[string]string{"net": "rnet", "runtime": "rruntime", "image": "rimage"}

// checkNames finds imports under a name that misleads, in tests too. Within
// its own tree a package keeps its name.
func checkNames(files []file) (faults []string) {
	for _, f := range files {
		for _, d := range f.imports() {
			for name, want := range renamed {
				if d.path != module+"/"+name || d.name == want || within(f.dir(), name) {
					continue
				}
				faults = append(faults, fmt.Sprintf("%s: import %s as %s: the bare name %s means the standard library", f.at(d.pos), d.path, want, name))
			}
		}
	}
	return faults
}
