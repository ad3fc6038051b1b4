package api

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// dnsLabel is what a container may be named.
var dnsLabel = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

func isDNSLabel(s string) bool { return dnsLabel.MatchString(s) }

// maxArg is the longest single argument that Linux passes to a program, in
// bytes (MAX_ARG_STRLEN less its final zero); maxPath the longest path.
const (
	maxArg  = 128<<10 - 1
	maxPath = 4095
)

// container checks the one container of a task.
func (c *checker) container(path string, k *runpb.Container) {
	c.anyContainer(path, k)
	c.unsupported(path, k)
}

// anyContainer checks what containers of tasks and of services have in common.
func (c *checker) anyContainer(path string, k *runpb.Container) {
	if k.GetName() != "" && !isDNSLabel(k.GetName()) {
		c.add(path+".name", "%q is not a container's name: want at most 63 lower-case letters, digits and hyphens, beginning with a letter", k.GetName())
	}
	c.image(path+".image", k.GetImage())
	c.arguments(path+".command", k.GetCommand())
	c.arguments(path+".args", k.GetArgs())
	if cmd := k.GetCommand(); len(cmd) > 0 && cmd[0] == "" {
		c.add(index(path+".command", 0), "is empty: want a program, or no command at all for the image's own")
	}
	c.env(path+".env", k.GetEnv())
	c.limits(path+".resources.limits", k.GetResources().GetLimits())
	if dir := k.GetWorkingDir(); dir != "" && (dir[0] != '/' || len(dir) > maxPath || strings.Contains(dir, "\x00")) {
		c.add(path+".workingDir", "%q is not a working directory: want an absolute path of at most %d bytes", dir, maxPath)
	}
	if k.GetSourceCode() != nil {
		c.add(path+".sourceCode", "deploying from source is not supported: want an image")
	}
	if k.GetBaseImageUri() != "" {
		c.add(path+".baseImageUri", "automatic base image updates are not supported")
	}
}

// image checks that a reference is there and could be one; the image package
// has the last word.
func (c *checker) image(path, ref string) {
	switch {
	case ref == "":
		c.add(path, "is missing: want an image reference such as nginx, host/repository:tag or host/repository@sha256:…")
	case strings.ContainsFunc(ref, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		c.add(path, "%q is not an image reference: it holds white space", ref)
	}
}

// arguments checks a command or its arguments.
func (c *checker) arguments(path string, args []string) {
	if len(args) > contract.MaxArgs {
		c.add(path, "has %d entries: want at most %d", len(args), contract.MaxArgs)
	}
	for i, a := range args {
		if strings.Contains(a, "\x00") {
			c.add(index(path, i), "holds a zero byte, which no argument of a program can")
		}
		if len(a) > maxArg {
			c.add(index(path, i), "has %d bytes: want at most %d, the most that Linux passes on", len(a), maxArg)
		}
	}
}

// limits checks the amounts of CPU and memory, each by itself and together.
func (c *checker) limits(path string, limits map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(limits)) {
		switch k {
		case limitCPU, limitMemory:
		case limitGPU:
			c.add(key(path, k), "GPUs are not supported")
		default:
			c.add(key(path, k), "is not a limit of Cloud Run: want %s or %s", limitCPU, limitMemory)
		}
	}
	cpu, memory := contract.DefaultCPU, contract.DefaultMemory
	var err error
	if s, ok := limits[limitCPU]; ok {
		if cpu, err = contract.ParseCPU(s); err == nil {
			err = contract.CheckCPU(cpu)
		}
		c.check(key(path, limitCPU), err)
	}
	if s, ok := limits[limitMemory]; ok {
		var bad error
		if memory, bad = contract.ParseBytes(s); bad != nil {
			c.check(key(path, limitMemory), bad)
			return
		}
	}
	if err == nil {
		c.check(key(path, limitMemory), contract.CheckMemory(cpu, memory))
	}
}

// unsupported refuses the settings that a task's only container cannot have.
func (c *checker) unsupported(path string, k *runpb.Container) {
	for i := range k.GetPorts() {
		c.add(index(path+".ports", i), "a job serves no requests, so its container has no port")
	}
	for i, m := range k.GetVolumeMounts() {
		c.add(index(path+".volumeMounts", i), "%q cannot be mounted: volumes are not supported yet", m.GetName())
	}
	for _, p := range []struct {
		name  string
		probe *runpb.Probe
	}{{"livenessProbe", k.GetLivenessProbe()}, {"readinessProbe", k.GetReadinessProbe()}, {"startupProbe", k.GetStartupProbe()}} {
		if p.probe != nil {
			c.add(path+"."+p.name, "probes of a job's container are not supported yet")
		}
	}
	for i, d := range k.GetDependsOn() {
		c.add(index(path+".dependsOn", i), "there is no other container %q in this task", d)
	}
}
