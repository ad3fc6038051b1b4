package change

import (
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// refusal is flags of services that worker pools do not have, and why.
type refusal struct {
	because string
	// values take a value each; switches take none, and may be denied.
	values, switches []string
}

// refusals are all of them: whoever knows services will try these.
func refusals() []refusal {
	return []refusal{
		{
			because: "a worker pool takes no requests",
			values: []string{
				"port", "concurrency", "timeout", "ingress", "tag", "readiness-probe", "domain",
				"set-custom-audiences", "add-custom-audiences", "remove-custom-audiences",
			},
			switches: []string{"allow-unauthenticated", "use-http2", "session-affinity", "invoker-iam-check", "default-url", "clear-custom-audiences"},
		},
		{
			because:  "a worker pool takes no requests: its revisions share instances; --no-promote gives the new one none",
			switches: []string{"traffic"},
		},
		{
			because: "a worker pool takes no requests that could scale it: --instances says how many instances it has",
			values:  []string{"min-instances", "max-instances", "min", "max"},
		},
		{
			because:  "a worker pool takes no requests: its instances have their CPU all the time",
			switches: []string{"cpu-throttling", "cpu-boost"},
		},
	}
}

// registerRefused adds them to set, hidden, so that they are told with their
// reason.
func registerRefused(set *pflag.FlagSet) {
	for _, r := range refusals() {
		for _, name := range r.values {
			set.String(name, "", "")
			set.Lookup(name).Hidden = true
		}
		for _, name := range r.switches {
			for _, name := range []string{name, "no-" + name} {
				set.Bool(name, false, "")
				set.Lookup(name).Hidden = true
			}
		}
	}
}

// checkRefused refuses those that were given.
func (f *Flags) checkRefused() error {
	for _, r := range refusals() {
		names := r.values
		for _, name := range r.switches {
			names = append(names, name, "no-"+name)
		}
		for _, name := range names {
			if f.set.Changed(name) {
				return cli.Usagef("--%s: %s", name, r.because)
			}
		}
	}
	return nil
}
