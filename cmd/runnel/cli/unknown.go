package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/api"
)

// group is the annotation of commands that only hold others.
const group = "group"

// Group makes cmd a command that only holds others: alone it shows its help,
// and an unknown name under it gets a suggestion.
func Group(cmd *cobra.Command) *cobra.Command {
	// Without a Run cobra would report unknown commands in its own way.
	cmd.Args = cobra.ArbitraryArgs
	cmd.Annotations = map[string]string{group: ""}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	return cmd
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	if own := elsewhereCalled(name); slices.ContainsFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == own && !c.Hidden }) {
		return Usagef("unknown command %q; did you mean %s?", name, own)
	}
	if path := cmp.Or(plural(cmd, name), below(cmd, name), beside(cmd, name), makes(cmd, name), below(cmd, elsewhereCalled(name))); path != "" {
		return Usagef("unknown command %q; did you mean %s?", name, path)
	}
	names := make([]string, 0, len(cmd.Commands()))
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return Usagef("unknown command %q%s", name, didYouMean(cmd.CommandPath(), "", api.Nearest(elsewhereCalled(name), names)))
}

// plural are the paths of the command that is called name and an s, and of what
// else is called name. It is empty if there is no such command.
func plural(cmd *cobra.Command, name string) string {
	for _, c := range cmd.Commands() {
		if c.Name() == name+"s" && !c.Hidden {
			return strings.Join(slices.DeleteFunc([]string{c.CommandPath(), below(cmd, name)}, func(path string) bool { return path == "" }), " or ")
		}
	}
	return ""
}

// makes is the command elsewhere that makes what cmd looks after, if name is a word
// for that. It is empty if there is none.
func makes(cmd *cobra.Command, name string) string {
	switch {
	case elsewhereCalled(name) != "deploy":
		return ""
	case cmd.Name() == "services":
		return beside(cmd, "deploy")
	case cmd.Name() == "schedules":
		return below(cmd.Parent(), "schedule")
	}
	return ""
}

// below are the paths of the commands called name that commands of cmd hold:
// those whose group was forgotten. It is empty if there is none.
func below(cmd *cobra.Command, name string) string {
	var paths []string
	for _, holder := range cmd.Commands() {
		for _, c := range holder.Commands() {
			if c.Name() == name && !c.Hidden {
				paths = append(paths, c.CommandPath())
			}
		}
	}
	return strings.Join(paths, " or ")
}

// beside is the path of the command called name that stands beside cmd: one whose
// group was named although it is in none. It is empty if there is none.
func beside(cmd *cobra.Command, name string) string {
	if !cmd.HasParent() {
		return ""
	}
	for _, c := range cmd.Parent().Commands() {
		if c.Name() == name && !c.Hidden {
			return c.CommandPath()
		}
	}
	return ""
}

// flagError words what the flag parser has found; it is for SetFlagErrorFunc.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknownBefore(cmd) != "":
		return unknownCommand(cmd, unknownBefore(cmd))
	case errors.As(err, &unknown) && NotBeside(cmd, cmd.Flags().Args()) != nil:
		return NotBeside(cmd, cmd.Flags().Args())
	case errors.As(err, &unknown) && absent(unknown.GetSpecifiedName()) != "":
		return Usagef("unknown flag %s%s: %s", dashes(unknown), unknown.GetSpecifiedName(), absent(unknown.GetSpecifiedName()))
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		meant := elsewhere(name, flagNames(cmd, false))
		if meant == "" {
			meant = elsewhere(name, flagNames(cmd, true))
		}
		if meant == "" && unknown.GetSpecifiedShortnames() == "" {
			meant = api.Nearest(name, flagNames(cmd, true))
		}
		return Usagef("unknown flag %s%s%s", dashes(unknown), name, didYouMean(cmd.CommandPath(), "--", meant))
	case errors.As(err, &missing):
		// The long name is in the help text and says what is missing.
		return Usagef("--%s: a value is missing", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return Usagef("--%s %s: want %s", f.Name, invalid.GetValue(), wanted(f.Value.Type()))
	}
	return Usagef("%v", err)
}

// unknownBefore is what stands before an unknown flag in the place of the command
// that it may be a flag of. It is empty if there is nothing.
func unknownBefore(cmd *cobra.Command) string {
	if _, ok := cmd.Annotations[group]; !ok {
		return ""
	}
	return cmd.Flags().Arg(0)
}

// dashes are those that an unknown flag was given with.
func dashes(unknown *pflag.NotExistError) string {
	if unknown.GetSpecifiedShortnames() != "" {
		return "-"
	}
	return "--"
}

// NotBeside refuses arguments of "runnel run" that begin with a command beside
// it: with gcloud, all of them stand below "run".
func NotBeside(cmd *cobra.Command, args []string) error {
	if cmd.Name() != "run" || len(args) == 0 {
		return nil
	}
	if path := beside(cmd, args[0]); path != "" {
		return Usagef("unexpected argument %q; did you mean %s?", args[0], path)
	}
	return nil
}

// flagNames are the flags of cmd: those that help shows or, if hidden, all.
func flagNames(cmd *cobra.Command, hidden bool) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if hidden || !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// elsewhere is the flag that one of docker, kubectl or another command of gcloud
// is called here, "" if it is none.
func elsewhere(name string, flags []string) string {
	for flag, names := range map[string][]string{
		"set-env-vars":          {"e", "env", "env-vars", "environment"},
		"env-vars-file":         {"env-file"},
		"task-timeout":          {"timeout"},
		"timeout":               {"task-timeout", "timeout-seconds"},
		"max-retries":           {"retries", "backoff-limit"},
		"tasks":                 {"task-count", "completions"},
		"command":               {"entrypoint"},
		"workdir":               {"w", "workingdir", "working-dir"},
		"cpu":                   {"c", "cpus"},
		"memory":                {"m", "mem"},
		"format":                {"o", "output"},
		"api":                   {"port", "listen", "address", "addr"},
		"root":                  {"data-dir"},
		"port":                  {"p", "publish", "expose", "container-port"},
		"add-volume":            {"v", "volume", "tmpfs"},
		"add-volume-mount":      {"mount", "volume-mount"},
		"labels":                {"l", "label"},
		"scaling":               {"replicas", "instances", "scale"},
		"instances":             {"replicas", "scale", "count"},
		"min-instances":         {"min-replicas", "min-scale", "scale-min"},
		"max-instances":         {"max-replicas", "max-scale", "scale-max"},
		"concurrency":           {"container-concurrency", "concurrency-limit"},
		"startup-probe":         {"health-cmd", "healthcheck", "health-check"},
		"use-http2":             {"http2", "h2c"},
		"allow-unauthenticated": {"public", "no-auth"},
		"service-account":       {"serviceaccount", "sa"},
		"to-revisions":          {"traffic", "to-revision", "split"},
		"limit":                 {"tail", "lines"},
	} {
		if slices.Contains(names, name) && slices.Contains(flags, flag) {
			return flag
		}
	}
	return ""
}

// didYouMean is the end of a message about an unknown name: what was probably
// meant, or where to look.
func didYouMean(command, prefix, name string) string {
	if name == "" {
		return fmt.Sprintf("; see %s --help", command)
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, name)
}

// wanted describes a flag's type to people.
func wanted(flagType string) string {
	switch flagType {
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "true or false"
	}
	return "a " + flagType
}

// NoArgsBut refuses arguments of a command that takes by a flag what people put
// there.
func NoArgsBut(flag string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Usagef("unexpected argument %q; did you mean --%s %s?", args[0], flag, args[0])
		}
		return nil
	}
}

// NoArgs refuses arguments.
func NoArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef("unexpected argument %q: this command takes none", args[0])
	}
	return nil
}
