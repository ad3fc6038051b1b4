package containers

import (
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/family"
)

// group is the flags that are about one container.
type group struct {
	// name is that of the container; empty for the only one, or the one that takes
	// the requests.
	name string
	of   Of
	set  *pflag.FlagSet

	image, port, cpu, memory, workdir string
	command, args, dependsOn          []string
	env                               family.Mapping
	envFile                           string
	http2                             family.Toggle
	mounts, unmounts                  []string
	clearMounts                       bool
	startup, liveness, readiness      string

	// fresh says that Apply has added the container.
	fresh bool
}

// newGroup is the group of a container, none of whose flags has been given.
func newGroup(name string, of Of) *group {
	g := &group{name: name, of: of, set: pflag.NewFlagSet(name, pflag.ContinueOnError)}
	set := g.set
	set.SortFlags = false
	set.StringVar(&g.image, "image", "", "image to run, such as debian:stable-slim or host:5000/repo@sha256:...")
	if of.TakesRequests {
		set.StringVar(&g.port, "port", "", "port that takes the requests: 1 to 65535, or default for 8080")
		g.http2.Register(set, "use-http2", "requests come as HTTP/2 without TLS (h2c), end to end")
	}
	set.StringVar(&g.cpu, "cpu", "", "CPUs of the container: 0.08 to 1, or 2, 4, 6, 8")
	set.StringVar(&g.memory, "memory", "", "memory of the container, such as 512Mi or 2Gi")
	set.StringArrayVar(&g.command, "command", nil, "entrypoint instead of the image's, `WORD,...`; empty for the image's")
	set.StringArrayVar(&g.args, "args", nil, "arguments instead of the image's, `WORD,...`; empty for the image's")
	set.StringVar(&g.workdir, "workdir", "", "working directory instead of the image's")
	g.env.Register(set, "env-vars", "environment variables")
	set.StringVar(&g.envFile, "env-vars-file", "", "`file` of environment variables that become all there are: YAML, or lines of NAME=VALUE if its name ends in .env")
	set.StringArrayVar(&g.dependsOn, "depends-on", nil, "containers that have to be started before this one, `NAME,...`; empty for none")
	set.StringVar(&g.startup, "startup-probe", "", "when the container has started, `KEY=VALUE,...`, such as "+startExample(of))
	set.StringVar(&g.liveness, "liveness-probe", "", "whether it still works, or else is replaced, `KEY=VALUE,...`; empty for none")
	if of.TakesRequests {
		set.StringVar(&g.readiness, "readiness-probe", "", "whether it is to get requests now, `KEY=VALUE,...`; empty for none")
	}
	set.StringArrayVar(&g.mounts, "add-volume-mount", nil, "where the container sees a volume, `volume=NAME,mount-path=PATH`")
	set.StringArrayVar(&g.unmounts, "remove-volume-mount", nil, "mounts to remove, `PATH,...`")
	set.BoolVar(&g.clearMounts, "clear-volume-mounts", false, "remove all mounts")
	return g
}

// startExample is an example of --startup-probe, and what an empty one means.
func startExample(of Of) string {
	if of.TakesRequests {
		return "httpGet.path=/ready,periodSeconds=2; empty for the default"
	}
	return "httpGet.path=/ready,httpGet.port=8080; empty for none"
}

// given reports whether any of the group's flags was.
func (g *group) given() (any bool) {
	g.set.Visit(func(*pflag.Flag) { any = true })
	return any
}

// where begins messages about the group's flags.
func (g *group) where() string {
	if g.name == "" {
		return ""
	}
	return "--container " + g.name + ": "
}

// check refuses what no container can be.
func (g *group) check() error {
	if g.set.Changed("image") && g.image == "" {
		return cli.Usagef("%s--image: want an image, such as debian:stable-slim", g.where())
	}
	if _, err := parsePort(g.port); err != nil {
		return cli.Usagef("%s--port %s: want 1 to 65535, or default", g.where(), g.port)
	}
	if g.set.Changed("env-vars-file") {
		if other := g.env.Given(); other != "" {
			return cli.Usagef("%s--%s: cannot stand beside --env-vars-file", g.where(), other)
		}
		if g.envFile == "" {
			return cli.Usagef("%s--env-vars-file: want the name of a file", g.where())
		}
	}
	for _, check := range []func() error{g.http2.Check, g.env.Check, g.checkProbes, g.checkMounts} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// parsePort reads a port, 0 for default.
func parsePort(text string) (int32, error) {
	if text == "" || text == "default" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err == nil && n == 0 {
		err = strconv.ErrRange
	}
	return int32(n), err
}

// groups are the flags of all containers, in the order in which they were
// named. They are filled while the command line is read: --container NAME
// begins the next group, and whatever is about a container belongs to the one
// that was named last.
type groups struct {
	of  Of
	all []*group // the first one is that without a name
	now *group
	// early is a flag of the first group that stands before a --container.
	early string
}

// register adds the flags of a container to set.
func (gs *groups) register(set *pflag.FlagSet, of Of) {
	gs.of = of
	gs.now = newGroup("", of)
	gs.all = []*group{gs.now}
	set.Var(opening{gs}, "container", "`name` of the container that the flags behind it are about; may be repeated")
	gs.now.set.VisitAll(func(f *pflag.Flag) {
		forwarded := set.VarPF(forward{gs, f}, f.Name, "", f.Usage)
		forwarded.NoOptDefVal, forwarded.Hidden = f.NoOptDefVal, f.Hidden
	})
}

// given are the groups that say something: those that were named, and the first
// if any of its flags was given.
func (gs *groups) given() (given []*group) {
	for _, g := range gs.all {
		if g.name != "" || g.given() {
			given = append(given, g)
		}
	}
	return given
}

// check refuses what contradicts itself.
func (gs *groups) check() error {
	if gs.early != "" {
		return cli.Usagef("--%s: has to stand behind the --container that it is about", gs.early)
	}
	for _, g := range gs.given() {
		if err := g.check(); err != nil {
			return err
		}
	}
	return nil
}

// opening is the value of --container.
type opening struct{ groups *groups }

// Set implements pflag.Value.
func (o opening) Set(name string) error {
	gs := o.groups
	if name == "" {
		return fmt.Errorf("want a name")
	}
	gs.all[0].set.Visit(func(f *pflag.Flag) { gs.early = f.Name })
	for _, g := range gs.all {
		if g.name == name {
			gs.now = g
			return nil
		}
	}
	gs.now = newGroup(name, gs.of)
	gs.all = append(gs.all, gs.now)
	return nil
}

// String implements pflag.Value.
func (opening) String() string { return "" }

// Type implements pflag.Value.
func (opening) Type() string { return "string" }

// forward is the value of a flag that belongs to the group that is open.
type forward struct {
	groups *groups
	flag   *pflag.Flag // of the first group
}

// Set implements pflag.Value.
func (f forward) Set(text string) error { return f.groups.now.set.Set(f.flag.Name, text) }

// String implements pflag.Value. It is asked of values that belong to no flag.
func (f forward) String() string {
	if f.flag == nil || f.flag.DefValue == "[]" {
		return ""
	}
	return f.flag.DefValue
}

// Type implements pflag.Value.
func (f forward) Type() string { return f.flag.Value.Type() }
