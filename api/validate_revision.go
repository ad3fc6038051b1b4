package api

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
)

// revisionTemplate checks what the next revision of a service is made from.
func (c *checker) revisionTemplate(path, service string, t *runpb.RevisionTemplate) {
	c.instances(path+".scaling", t.GetScaling().GetMinInstanceCount(), t.GetScaling().GetMaxInstanceCount())
	if t.GetScaling().GetMaxInstanceCount() == 0 && t.GetScaling().GetMinInstanceCount() > contract.DefaultMaxInstances {
		c.add(path+".scaling.minInstanceCount", "%d is more than the maximum of %d", t.GetScaling().GetMinInstanceCount(), contract.DefaultMaxInstances)
	}
	if d := t.GetTimeout(); d != nil {
		if err := d.CheckValid(); err != nil {
			c.add(path+".timeout", "is not a duration: %v", err)
		} else {
			c.check(path+".timeout", contract.CheckRequestTimeout(d.AsDuration()))
		}
	}
	if cpu, ok := totalCPU(t.GetContainers()); ok && t.GetMaxInstanceRequestConcurrency() != 0 {
		c.check(path+".maxInstanceRequestConcurrency", contract.CheckConcurrency(int64(t.GetMaxInstanceRequestConcurrency()), cpu))
	}
	c.anyTemplate(path, service, t)
	c.ingress(path+".containers", t.GetContainers())
}

// template is what the templates of the revisions of services and of worker pools
// have in common.
type template interface {
	GetRevision() string
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetServiceAccount() string
	GetNodeSelector() *runpb.NodeSelector
	GetServiceMesh() *runpb.ServiceMesh
	GetContainers() []*runpb.Container
	GetVolumes() []*runpb.Volume
	GetEncryptionKeyShutdownDuration() *durationpb.Duration
}

// anyTemplate checks what the templates of the revisions of services and of worker
// pools have in common. The owner is the short name of either.
func (c *checker) anyTemplate(path, owner string, t template) {
	if t.GetRevision() != "" && owner != "" {
		c.check(path+".revision", contract.CheckRevisionName(owner, t.GetRevision()))
	}
	c.labels(path+".labels", t.GetLabels())
	c.annotations(path+".annotations", t.GetAnnotations())
	c.serviceAccount(path+".serviceAccount", t.GetServiceAccount())
	// Nothing is done with it, but what is no duration could not be shown as JSON.
	if d := t.GetEncryptionKeyShutdownDuration(); d != nil && d.CheckValid() != nil {
		c.add(path+".encryptionKeyShutdownDuration", "is not a duration: %v", d.CheckValid())
	}
	if a := t.GetNodeSelector().GetAccelerator(); a != "" {
		c.add(path+".nodeSelector.accelerator", "%q is not offered: GPUs are not supported", a)
	}
	if t.GetServiceMesh().GetMesh() != "" {
		c.add(path+".serviceMesh", "service meshes are not supported")
	}
	c.volumes(path+".volumes", t.GetVolumes())
	c.containers(path+".containers", t.GetContainers(), t.GetVolumes())
}

// containers checks the containers of a revision's instances: each by itself, but
// for its ports and probes, and together.
func (c *checker) containers(path string, all []*runpb.Container, volumes []*runpb.Volume) {
	switch n := len(all); {
	case n == 0:
		c.add(path, "is empty: want at least one container")
	case n > contract.MaxContainers:
		c.add(path, "lists %d containers: want at most %d", n, contract.MaxContainers)
	}
	names := map[string]bool{}
	for i, k := range all {
		at := index(path, i)
		if name := k.GetName(); name != "" && names[name] {
			c.add(at+".name", "%q is the name of another container already", name)
		}
		names[k.GetName()] = true
		c.anyContainer(at, k)
		c.volumeMounts(at+".volumeMounts", k.GetVolumeMounts(), volumes)
	}
	c.dependencies(path, all)
}

// ingress checks the ports and the probes of the containers of a service, one of
// which takes the requests.
func (c *checker) ingress(path string, all []*runpb.Container) {
	ingress := -1
	for i, k := range all {
		at := index(path, i)
		switch {
		case len(k.GetPorts()) == 0:
		case ingress >= 0:
			c.add(at+".ports", "%s has a port already: want exactly one container with a port", index(path, ingress))
		default:
			ingress = i
		}
		c.serviceContainer(at, k, len(all) == 1)
	}
	if ingress < 0 && len(all) > 1 {
		c.add(path, "none of the %d containers has a port: want exactly one, which takes the requests", len(all))
	}
}

// serviceContainer checks the port and the probes of one container of a service;
// only says that it is the only one.
func (c *checker) serviceContainer(path string, k *runpb.Container, only bool) {
	if len(k.GetPorts()) > 1 {
		c.add(path+".ports", "lists %d ports: want one", len(k.GetPorts()))
	}
	for i, p := range k.GetPorts() {
		at := index(path+".ports", i)
		if n := p.GetContainerPort(); n != 0 {
			c.port(at+".containerPort", n)
		}
		switch p.GetName() {
		case "", portHTTP1, portH2C:
		default:
			c.add(at+".name", "%q is not a protocol: want %s or %s", p.GetName(), portHTTP1, portH2C)
		}
	}
	c.probes(path, k, !only && len(k.GetPorts()) == 0)
}

// probes checks the probes of a container; needsPort says that it has no port of
// its own.
func (c *checker) probes(path string, k *runpb.Container, needsPort bool) {
	c.probe(path+".startupProbe", startupProbe, k.GetStartupProbe(), needsPort)
	c.probe(path+".livenessProbe", livenessProbe, k.GetLivenessProbe(), needsPort)
	c.probe(path+".readinessProbe", readinessProbe, k.GetReadinessProbe(), needsPort)
}

// port checks the number of a TCP port.
func (c *checker) port(path string, n int32) {
	if n < 1 || n > 65535 {
		c.add(path, "%d is not a port: want 1 to 65535", n)
	}
}

// dependencies checks which containers wait for which.
func (c *checker) dependencies(path string, all []*runpb.Container) {
	place := map[string]int{}
	for i, k := range all {
		if k.GetName() != "" {
			place[k.GetName()] = i
		}
	}
	edges := make([][]int, len(all))
	for i, k := range all {
		for j, name := range k.GetDependsOn() {
			at := index(index(path, i)+".dependsOn", j)
			switch to, ok := place[name]; {
			case !ok:
				c.add(at, "there is no container %q", name)
			case to == i:
				c.add(at, "%q cannot wait for itself", name)
			default:
				edges[i] = append(edges[i], to)
			}
		}
	}
	if cycle := findCycle(edges); cycle != nil {
		names := make([]string, len(cycle))
		for i, k := range cycle {
			names[i] = all[k].GetName()
		}
		c.add(index(path, cycle[0])+".dependsOn", "containers wait for each other: %s", strings.Join(append(names, names[0]), " -> "))
	}
}

// findCycle finds places each of which has an edge to the next one, and the last
// one to the first; nil if there are none.
func findCycle(edges [][]int) []int {
	const onPath, done = 1, 2
	state := make([]int, len(edges))
	var path []int
	var visit func(int) []int
	visit = func(i int) []int {
		state[i], path = onPath, append(path, i)
		for _, to := range edges[i] {
			if state[to] == onPath {
				for path[0] != to {
					path = path[1:]
				}
				return path
			}
			if state[to] == 0 {
				if found := visit(to); found != nil {
					return found
				}
			}
		}
		state[i], path = done, path[:len(path)-1]
		return nil
	}
	for i := range edges {
		if state[i] == 0 {
			if found := visit(i); found != nil {
				return found
			}
		}
	}
	return nil
}
