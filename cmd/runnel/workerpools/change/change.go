// Package change is what the flags of "runnel worker-pools deploy" and "update"
// say about a worker pool: they are read, checked against each other, and applied
// to the worker pool as it is, so that whatever no flag names stays. It is pure
// but for the files of environment variables that flags may name.
package change

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/containers"
	"runnel/cmd/runnel/family"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/verb"
	"runnel/cmd/runnel/workerpools/split"
	"runnel/contract"
)

// Flags are those that describe a worker pool. Only those that were given say
// anything.
type Flags struct {
	set        *pflag.FlagSet
	names      []string // of all that can be given
	containers *containers.Flags

	instances, scaling     string
	promote                family.Toggle
	suffix, serviceAccount string
	labels                 family.Mapping
	description            string
}

// Register adds the flags to set, which must be parsed before Apply.
func Register(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	f.containers = containers.Register(set, containers.Of{Noun: "worker pool"})
	set.StringVar(&f.instances, "instances", "", "`N` instances, whatever they have to do; 0 stops them, and a new worker pool has 1")
	set.StringVar(&f.scaling, "scaling", "", "the same as --instances")
	set.Lookup("scaling").Hidden = true
	f.promote.Register(set, "promote", "the new revision, and later ones, get all instances")
	set.StringVar(&f.suffix, "revision-suffix", "", "end of the new revision's name instead of one that is made up")
	set.StringVar(&f.serviceAccount, "service-account", "", "service account that the metadata server names")
	f.labels.Register(set, "labels", "labels of the worker pool and its revisions")
	set.StringVar(&f.description, "description", "", "what the worker pool is for, up to 512 characters")
	set.VisitAll(func(flag *pflag.Flag) { f.names = append(f.names, flag.Name) })
	registerRefused(set)
	return f
}

// Check refuses flags that contradict each other or that no worker pool can
// hold, before a daemon is asked.
func (f *Flags) Check() error {
	for _, check := range []func() error{f.checkRefused, f.containers.Check, f.checkInstances, f.promote.Check, f.checkNames, f.labels.Check} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkInstances reads how many instances there are to be.
func (f *Flags) checkInstances() error {
	if f.set.Changed("instances") && f.set.Changed("scaling") {
		return cli.Usagef("--scaling: cannot stand beside --instances")
	}
	if f.scaling == "auto" {
		return cli.Usagef("--scaling auto: nothing scales a worker pool: want a number of instances, 0 or more")
	}
	flag, text := f.count()
	if flag == "" {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 0 || n > math.MaxInt32 {
		return cli.Usagef("--%s %s: want a number of instances, 0 or more", flag, text)
	}
	return nil
}

// count is the flag that says how many instances there are to be, with what it
// says; "" if none was given.
func (f *Flags) count() (flag, text string) {
	switch {
	case f.set.Changed("instances"):
		return "instances", f.instances
	case f.set.Changed("scaling"):
		return "scaling", f.scaling
	}
	return "", ""
}

// checkNames reads what becomes part of a name, and the description.
func (f *Flags) checkNames() error {
	if f.set.Changed("revision-suffix") && !contract.IsLabel(f.suffix) {
		return cli.Usagef("--revision-suffix %s: want lower-case letters, digits and hyphens", f.suffix)
	}
	if n := len([]rune(f.description)); n > contract.MaxDescription {
		return cli.Usagef("--description: has %d characters: want at most %d", n, contract.MaxDescription)
	}
	return nil
}

// Given reports whether any of the flags was.
func (f *Flags) Given() bool { return slices.ContainsFunc(f.names, f.set.Changed) }

// Containers are the flags about the containers of an instance.
func (f *Flags) Containers() *containers.Flags { return f.containers }

// Promotion reports whether the new revision is to get all instances or none; it
// is nil if the flags leave that as it is.
func (f *Flags) Promotion() *bool {
	if !f.promote.Given() {
		return nil
	}
	return &f.promote.On
}

// Apply changes pool as the flags say, which Check has found in order. A
// UsageError says what cannot be done to this worker pool.
func (f *Flags) Apply(pool *runpb.WorkerPool) (err error) {
	if pool.Template == nil {
		pool.Template = &runpb.WorkerPoolRevisionTemplate{}
	}
	t := pool.Template
	if t.Containers, err = f.containers.Apply(t.GetContainers()); err != nil {
		return err
	}
	if t.Volumes, err = f.containers.ApplyVolumes(t.GetVolumes()); err != nil {
		return err
	}
	if f.set.Changed("service-account") {
		t.ServiceAccount = f.serviceAccount
	}
	t.Revision = "" // that of the revision before
	if f.suffix != "" {
		t.Revision = verb.Short(pool.GetName()) + "-" + f.suffix
	}
	if f.labels.Given() != "" {
		pool.Labels = f.labels.Apply(pool.Labels)
		t.Labels = f.labels.Apply(t.Labels)
	}
	if f.set.Changed("description") {
		pool.Description = f.description
	}
	f.applyInstances(pool)
	return f.applySplits(pool)
}

// applyInstances changes how many instances there are to be.
func (f *Flags) applyInstances(pool *runpb.WorkerPool) {
	flag, text := f.count()
	if flag == "" {
		return
	}
	if pool.Scaling == nil {
		pool.Scaling = &runpb.WorkerPoolScaling{}
	}
	n, _ := strconv.ParseInt(text, 10, 32) // Check has read it
	count := int32(n)
	pool.Scaling.ManualInstanceCount = &count
}

// applySplits changes which revisions have the instances once the next one is
// there.
func (f *Flags) applySplits(pool *runpb.WorkerPool) error {
	switch {
	case !f.promote.Given():
		return nil
	case f.promote.On:
		pool.InstanceSplits = split.Splits(split.Shares(nil))
		return nil
	}
	ready := verb.Short(pool.GetLatestReadyRevision())
	if ready == "" {
		return cli.Usagef("--no-promote: the worker pool has no revision yet that could keep the instances")
	}
	pool.InstanceSplits = split.Splits(shares.Pin(split.Shares(pool.GetInstanceSplits()), ready))
	return nil
}

// FlagOf is how a field of a worker pool is named on the command line, with the
// value that was given; it is path where no flag that was given stands for the
// field. It knows containers once Apply was called.
func (f *Flags) FlagOf(path string) string {
	path = strings.TrimPrefix(path, "workerPool.")
	if below, ok := strings.CutPrefix(path, "template."); ok {
		if flag := f.containers.FlagOf(below); flag != "" {
			return flag
		}
	}
	count, text := f.count()
	for _, field := range []struct{ path, flag, value string }{
		{"scaling", count, text},
		{"template.revision", "revision-suffix", f.suffix},
		{"template.serviceAccount", "service-account", f.serviceAccount},
		{"instanceSplits", "promote", ""},
		{"instanceSplits", "no-promote", ""},
		{"labels", f.labels.Given(), ""},
		{"template.labels", f.labels.Given(), ""},
		{"description", "description", ""},
	} {
		if field.flag != "" && strings.HasPrefix(path, field.path) && f.set.Changed(field.flag) {
			return strings.TrimSpace("--" + field.flag + " " + field.value)
		}
	}
	return path
}
