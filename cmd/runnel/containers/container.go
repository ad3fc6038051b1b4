package containers

import (
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
	"runnel/contract"
)

// place is where the container of g stands in all: behind them if it is to be
// added.
func (g *group) place(all []*runpb.Container) (int, error) {
	g.fresh = false
	if g.name == "" && len(all) > 0 {
		if i := onlyOrIngress(all); i >= 0 {
			return i, nil
		}
		return 0, cli.Usagef("the %s has several containers: say with --container which one is meant", g.of.Noun)
	}
	i := slices.IndexFunc(all, func(c *runpb.Container) bool { return c.GetName() == g.name })
	if i >= 0 {
		return i, nil
	}
	if g.image == "" {
		return 0, cli.Usagef("%s--image is missing: the %s has no container of that name yet", g.where(), g.of.Noun)
	}
	g.fresh = true
	return len(all), nil
}

// onlyOrIngress is the place of the container that flags without a name are
// about: the only one, or the one whose port takes the requests; -1 if there is
// none.
func onlyOrIngress(all []*runpb.Container) int {
	if len(all) == 1 {
		return 0
	}
	return slices.IndexFunc(all, func(c *runpb.Container) bool { return len(c.GetPorts()) > 0 })
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

// flagOf is the flag of a container's field, "" if none was given.
func (g *group) flagOf(path string) string {
	for _, field := range []struct{ path, flag, value string }{
		{"image", "image", g.image},
		{"ports", "port", g.port},
		{"ports", "use-http2", ""},
		{`resources.limits["cpu"]`, "cpu", g.cpu},
		{`resources.limits["memory"]`, "memory", g.memory},
		{"env", g.env.Given(), ""},
		{"env", "env-vars-file", g.envFile},
		{"command", "command", ""},
		{"args", "args", ""},
		{"workingDir", "workdir", g.workdir},
		{"dependsOn", "depends-on", strings.Join(g.dependsOn, ",")},
		{"startupProbe", "startup-probe", g.startup},
		{"livenessProbe", "liveness-probe", g.liveness},
		{"readinessProbe", "readiness-probe", g.readiness},
		{"volumeMounts", "add-volume-mount", ""},
	} {
		if field.flag != "" && strings.HasPrefix(path, field.path) && g.set.Changed(field.flag) {
			return g.where() + strings.TrimSpace("--"+field.flag+" "+field.value)
		}
	}
	if path == "name" && g.name != "" {
		return "--container " + g.name
	}
	return ""
}
