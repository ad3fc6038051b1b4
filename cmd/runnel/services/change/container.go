package change

import (
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
	"runnel/contract"
)

// applyContainers removes containers, and changes or adds those that flags are
// about.
func (f *Flags) applyContainers(t *runpb.RevisionTemplate) error {
	for _, name := range cli.JoinLists(f.removeContainers) {
		i := slices.IndexFunc(t.Containers, func(c *runpb.Container) bool { return c.GetName() == name })
		if i < 0 {
			return cli.Usagef("--remove-containers %s: the service has no container of that name", name)
		}
		t.Containers = slices.Delete(t.Containers, i, i+1)
	}
	f.applied = map[int]*group{}
	for _, g := range f.groups.given() {
		i, err := g.place(t)
		if err != nil {
			return err
		}
		f.applied[i] = g
		if err := g.apply(t.Containers[i]); err != nil {
			return err
		}
	}
	return nil
}

// place is where the container of g stands in t, to which it is added if it is
// not there.
func (g *group) place(t *runpb.RevisionTemplate) (int, error) {
	g.fresh = false
	if g.name == "" && len(t.Containers) > 0 {
		if i := ingressContainer(t); i >= 0 {
			return i, nil
		}
		return 0, cli.Usagef("the service has several containers: say with --container which one is meant")
	}
	i := slices.IndexFunc(t.Containers, func(c *runpb.Container) bool { return c.GetName() == g.name })
	if i >= 0 {
		return i, nil
	}
	if g.image == "" {
		return 0, cli.Usagef("%s--image is missing: the service has no container of that name yet", g.where())
	}
	g.fresh = true
	t.Containers = append(t.Containers, &runpb.Container{Name: g.name})
	return len(t.Containers) - 1, nil
}

// ingressContainer is the place of the container that takes the requests: the
// only one, or the one with a port; -1 if there is none.
func ingressContainer(t *runpb.RevisionTemplate) int {
	if len(t.GetContainers()) == 1 {
		return 0
	}
	return slices.IndexFunc(t.GetContainers(), func(c *runpb.Container) bool { return len(c.GetPorts()) > 0 })
}

// apply changes c.
func (g *group) apply(c *runpb.Container) (err error) {
	if g.set.Changed("image") {
		c.Image = g.image
	}
	if g.set.Changed("command") {
		c.Command = cli.JoinLists(g.command)
	}
	if g.set.Changed("args") {
		c.Args = cli.JoinLists(g.args)
	}
	if g.set.Changed("workdir") {
		c.WorkingDir = g.workdir
	}
	if g.set.Changed("depends-on") {
		c.DependsOn = cli.JoinLists(g.dependsOn)
	}
	for name, value := range map[string]string{"cpu": g.cpu, "memory": g.memory} {
		if g.set.Changed(name) {
			family.SetLimit(c, name, value)
		}
	}
	if err := g.applyPort(c); err != nil {
		return err
	}
	if err := family.ApplyEnv(c, &g.env, g.envFile); err != nil {
		return err
	}
	if err := g.applyProbes(c); err != nil {
		return err
	}
	c.VolumeMounts, err = g.applyMounts(c.GetVolumeMounts())
	return err
}

// applyPort changes the port of c and what is spoken there. A start-up probe of
// the old port goes with it.
func (g *group) applyPort(c *runpb.Container) error {
	if !g.set.Changed("port") && !g.http2.Given() {
		return nil
	}
	if len(c.Ports) == 0 {
		c.Ports = []*runpb.ContainerPort{{}}
	}
	port := c.Ports[0]
	if g.http2.Given() {
		port.Name = map[bool]string{true: "h2c", false: "http1"}[g.http2.On]
	}
	before := port.GetContainerPort()
	if g.set.Changed("port") {
		n, err := parsePort(g.port)
		if err != nil {
			return cli.Usagef("%s--port %s: %v", g.where(), g.port, err)
		}
		port.ContainerPort = n
	}
	if port.ContainerPort == 0 {
		port.ContainerPort = contract.DefaultPort
	}
	if probed := c.GetStartupProbe().GetTcpSocket(); probed != nil && before != 0 && probed.GetPort() == before {
		probed.Port = port.GetContainerPort()
	}
	return nil
}

// applyCPU changes when instances have CPU, which is the same for all of an
// instance's containers: new ones get what the others have. A new service has
// CPU while it has requests, and the boost.
func (f *Flags) applyCPU(t *runpb.RevisionTemplate, isNew bool) {
	idle, boost := true, isNew
	for i, c := range t.Containers {
		if !f.isFresh(i) && c.GetResources() != nil {
			idle, boost = c.GetResources().GetCpuIdle(), c.GetResources().GetStartupCpuBoost()
			break
		}
	}
	if f.throttling.Given() {
		idle = f.throttling.On
	}
	if f.boost.Given() {
		boost = f.boost.On
	}
	for i, c := range t.Containers {
		sets := [2]bool{f.isFresh(i) || f.throttling.Given(), f.isFresh(i) || f.boost.Given()}
		if c.Resources == nil && (sets[0] || sets[1]) {
			c.Resources = &runpb.ResourceRequirements{CpuIdle: idle, StartupCpuBoost: boost}
		}
		if sets[0] {
			c.Resources.CpuIdle = idle
		}
		if sets[1] {
			c.Resources.StartupCpuBoost = boost
		}
	}
}

// isFresh reports whether the container of a place was added.
func (f *Flags) isFresh(i int) bool { return f.applied[i] != nil && f.applied[i].fresh }
