package jobs

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// stateFilter is the flags that choose tasks by their state.
type stateFilter struct{ flags []stateFlag }

// stateFlag is one of them, and the states it includes.
type stateFlag struct {
	on     *bool
	states []string
}

// register adds the flags to set.
func (f *stateFilter) register(set *pflag.FlagSet) {
	for _, flag := range []struct {
		name   string
		states []string
	}{
		{"succeeded", []string{taskSucceeded}},
		{"failed", []string{taskFailed}},
		{"cancelled", []string{taskCancelled}},
		{"running", []string{taskRunning}},
		{"pending", []string{taskPending}},
		{"abandoned", []string{taskAbandoned}},
		{"completed", []string{taskSucceeded, taskFailed, taskCancelled}},
		{"no-completed", []string{taskRunning, taskPending}},
		{"started", []string{taskRunning, taskSucceeded, taskFailed, taskCancelled}},
		{"no-started", []string{taskPending, taskAbandoned}},
	} {
		on := set.Bool(flag.name, false, "include tasks that are "+strings.ToLower(strings.Join(flag.states, ", ")))
		f.flags = append(f.flags, stateFlag{on, flag.states})
	}
}

// wants reports whether tasks of a state are wanted: all are if no flag was
// given.
func (f stateFilter) wants(state string) bool {
	all := true
	for _, flag := range f.flags {
		if !*flag.on {
			continue
		}
		if all = false; slices.Contains(flag.states, state) {
			return true
		}
	}
	return all
}
