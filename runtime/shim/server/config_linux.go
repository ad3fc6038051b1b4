package server

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"runnel/runtime/shim"
)

// complete fills in what of an OCI specification only the shim knows.
func complete(spec *specs.Spec, r *root, netns *os.File, user specs.User) {
	spec.Root = &specs.Root{Path: r.path}
	spec.Process.User = user
	spec.Process.OOMScoreAdj = oomScore(ownOOMScore)
	if user.UID != 0 && spec.Process.Capabilities != nil {
		// The bounding set stays; the rest is root's.
		spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: spec.Process.Capabilities.Bounding}
	}
	for i, ns := range spec.Linux.Namespaces {
		if ns.Type == specs.NetworkNamespace && netns != nil {
			// By way of the shim's own descriptor, because the namespace has no
			// name in the file system; "self" would be another process there.
			spec.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), netns.Fd())
		}
	}
}

// ownOOMScore is the file of the bonus that this process has where the kernel
// chooses whom to kill when the host runs out of memory.
const ownOOMScore = "/proc/self/oom_score_adj"

// oomScore is the bonus of a container: none, where the shim is protected by one
// below zero. Inherited, it would have the host's own processes killed before
// tasks. A container keeps the shim's where that is not below zero, since taking
// some away would need a privilege.
func oomScore(file string) *int {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	if own, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || own >= 0 {
		return nil
	}
	return new(int)
}

// libcontainerConfig translates a specification for libcontainer.
func libcontainerConfig(id string, spec *specs.Spec) (*configs.Config, error) {
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{
		CgroupName:   id,
		NoNewKeyring: false,
		Spec:         spec,
	})
	if err != nil {
		return nil, fmt.Errorf("translate specification: %w", err)
	}
	return config, nil
}

// libcontainerProcess translates the main process of a specification.
func libcontainerProcess(p *specs.Process) (*libcontainer.Process, error) {
	out := &libcontainer.Process{
		Init:            true,
		Args:            p.Args,
		Env:             p.Env,
		Cwd:             p.Cwd,
		UID:             int(p.User.UID),
		GID:             int(p.User.GID),
		NoNewPrivileges: &p.NoNewPrivileges,
	}
	for _, g := range p.User.AdditionalGids {
		out.AdditionalGroups = append(out.AdditionalGroups, int(g))
	}
	if c := p.Capabilities; c != nil {
		out.Capabilities = &configs.Capabilities{
			Bounding:    c.Bounding,
			Effective:   c.Effective,
			Inheritable: c.Inheritable,
			Permitted:   c.Permitted,
			Ambient:     c.Ambient,
		}
	}
	for _, l := range p.Rlimits {
		if l.Type != "RLIMIT_NOFILE" {
			return nil, fmt.Errorf("resource limit %s is not known", l.Type)
		}
		out.Rlimits = append(out.Rlimits, configs.Rlimit{Type: unix.RLIMIT_NOFILE, Soft: l.Soft, Hard: l.Hard})
	}
	return out, nil
}

// explain tells whether a failed start is the container's own fault, and so will
// fail again. libcontainer has only words for it: the fault is the container's
// if its init inside it failed, unless for want of something of the host's.
func explain(err error) error {
	text := err.Error()
	for _, shortage := range []error{unix.ENOMEM, unix.ENOSPC, unix.EMFILE, unix.ENFILE, unix.EAGAIN} {
		if strings.Contains(text, shortage.Error()) {
			return err
		}
	}
	if strings.Contains(text, "container init was OOM-killed") || strings.Contains(text, "error during container init") {
		return shim.Unstartable(text)
	}
	return err
}

// memoryLimit is the specification's memory limit in bytes; without one the
// root is as large as a tmpfs can be.
func memoryLimit(spec *specs.Spec) int64 {
	if r := spec.Linux.Resources; r != nil && r.Memory != nil && r.Memory.Limit != nil {
		return *r.Memory.Limit
	}
	return math.MaxInt64 >> 1
}
