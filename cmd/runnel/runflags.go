package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/daemon"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/metadata"
)

// Output forms.
const (
	formatText = "text"
	formatJSON = "json"
)

func formats() []string { return []string{formatText, formatJSON} }

// runFlags are the flags of "runnel run". Those that describe the job are read
// only if they were given.
type runFlags struct {
	image, cpu, memory, taskTimeout string
	command, args, env              []string
	tasks, parallelism, maxRetries  int
	serviceAccount                  string

	trustedHosts                   []string
	format, root                   string
	project, projectNumber, region string
}

// jobFlags are the flags that describe the job, and so cannot stand beside a
// file that does.
func jobFlags() []string {
	return []string{
		"image", "tasks", "parallelism", "max-retries", "task-timeout", "cpu", "memory",
		"set-env-vars", "command", "args", "service-account",
	}
}

// register adds the flags to set.
func (f *runFlags) register(set *pflag.FlagSet) {
	set.SortFlags = false
	here := daemon.DefaultConfig() // where instances are told to run
	set.StringVar(&f.image, "image", "", "image to run")
	set.IntVar(&f.tasks, "tasks", contract.DefaultTasks, "number of tasks, 1 to 10000")
	set.IntVar(&f.parallelism, "parallelism", 0, "most tasks at once; 0 for as many as fit on this host")
	set.IntVar(&f.maxRetries, "max-retries", contract.DefaultRetries, "times a failed task is tried again, 0 to 10")
	set.StringVar(&f.taskTimeout, "task-timeout", "10m", "time for each attempt: seconds, or a form such as 10m5s")
	set.StringVar(&f.cpu, "cpu", "1", "CPUs of each task: 0.08 to 1, or 2, 4, 6, 8")
	set.StringVar(&f.memory, "memory", "512Mi", "memory of each task, such as 512Mi or 2Gi")
	set.StringArrayVar(&f.env, "set-env-vars", nil, "environment variables, `NAME=VALUE,...`")
	set.StringArrayVar(&f.command, "command", nil, "entrypoint instead of the image's, `WORD,...`")
	set.StringArrayVar(&f.args, "args", nil, "arguments instead of the image's, `WORD,...`")
	set.StringVar(&f.serviceAccount, "service-account", here.ServiceAccount, "service account that the metadata server names")
	set.StringSliceVar(&f.trustedHosts, "trusted-hosts", nil, "hosts with private addresses to which a registry may send us, `HOST:PORT,...`")
	set.StringVar(&f.format, "format", formatText, "output form, text or json")
	set.StringVar(&f.root, "root", "", "`directory` for images and state, kept afterwards (default a private one, removed)")
	set.StringVar(&f.project, "project", here.Project, "project ID that the metadata server names")
	set.StringVar(&f.projectNumber, "project-number", here.ProjectNumber, "project number that the metadata server names")
	set.StringVar(&f.region, "region", here.Region, "region that the metadata server names")
}

// check refuses flags and arguments that contradict each other, or that are out
// of range in a way that a job could not express.
func (f *runFlags) check(set *pflag.FlagSet, args []string) error {
	if !slices.Contains(formats(), f.format) {
		return cli.Usagef("--format %s: want text or json", f.format)
	}
	for _, host := range f.trustedHosts {
		if err := rimage.CheckTrustedHost(host); err != nil {
			return cli.Usagef("--trusted-hosts: %v", err)
		}
	}
	if err := f.checkIdentity(); err != nil {
		return err
	}
	if len(args) > 1 {
		return cli.Usagef("unexpected argument %q: want one job file", args[1])
	}
	if len(args) == 1 {
		for _, name := range jobFlags() {
			if set.Changed(name) {
				return cli.Usagef("--%s: %s describes the job already; give either the file or the flags", name, args[0])
			}
		}
		return nil
	}
	if strings.TrimSpace(f.image) == "" {
		return cli.Usagef("--image is missing: name an image, or a job file instead")
	}
	return f.checkNumbers()
}

// checkIdentity checks what the metadata server is to answer.
func (f *runFlags) checkIdentity() error {
	for _, name := range []struct {
		flag, value string
		check       func(string) error
	}{
		{"project", f.project, metadata.CheckName},
		{"project-number", f.projectNumber, metadata.CheckProjectNumber},
		{"region", f.region, metadata.CheckName},
		{"service-account", f.serviceAccount, metadata.CheckAccount},
	} {
		if err := name.check(name.value); err != nil {
			return cli.Usagef("--%s %q: %v", name.flag, name.value, err)
		}
	}
	return nil
}

// checkNumbers checks what an unset or an overflowing field would hide.
func (f *runFlags) checkNumbers() error {
	switch {
	case f.tasks < contract.MinTasks || f.tasks > contract.MaxTasks:
		return cli.Usagef("--tasks %d: want %d to %d", f.tasks, contract.MinTasks, contract.MaxTasks)
	case f.parallelism < 0:
		return cli.Usagef("--parallelism %d: want 0 (as many as fit) to the number of tasks", f.parallelism)
	case f.parallelism > f.tasks:
		return cli.Usagef("--parallelism %d: want at most the number of tasks, %d", f.parallelism, f.tasks)
	case f.maxRetries < 0 || f.maxRetries > contract.MaxRetries:
		return cli.Usagef("--max-retries %d: want 0 to %d", f.maxRetries, contract.MaxRetries)
	}
	return nil
}
