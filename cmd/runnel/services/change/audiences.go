package change

import (
	"slices"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// audiences are the flags about what tokens of callers may be made out to,
// besides the service's URL.
type audiences struct {
	flags            *pflag.FlagSet
	set, add, remove []string
	clear            bool
}

// register adds the flags to set.
func (a *audiences) register(set *pflag.FlagSet) {
	a.flags = set
	set.StringArrayVar(&a.set, "set-custom-audiences", nil, "audiences of tokens, besides the URL, that become all there are, `AUDIENCE,...`")
	set.StringArrayVar(&a.add, "add-custom-audiences", nil, "audiences to add, `AUDIENCE,...`")
	set.StringArrayVar(&a.remove, "remove-custom-audiences", nil, "audiences to remove, `AUDIENCE,...`")
	set.BoolVar(&a.clear, "clear-custom-audiences", false, "remove all audiences")
}

// check refuses flags that cannot stand together.
func (a *audiences) check() error {
	const set, add, remove, none = "set-custom-audiences", "add-custom-audiences", "remove-custom-audiences", "clear-custom-audiences"
	for _, pair := range [][2]string{{set, add}, {set, remove}, {set, none}, {none, add}, {none, remove}} {
		if a.flags.Changed(pair[0]) && a.flags.Changed(pair[1]) {
			return cli.Usagef("--%s: cannot stand beside --%s", pair[0], pair[1])
		}
	}
	return nil
}

// apply changes a list of audiences, each of which is in it once.
func (a *audiences) apply(all []string) []string {
	if a.clear || a.flags.Changed("set-custom-audiences") {
		all = nil
	}
	gone := cli.JoinLists(a.remove)
	all = slices.DeleteFunc(slices.Clone(all), func(x string) bool { return slices.Contains(gone, x) })
	for _, audience := range append(cli.JoinLists(a.set), cli.JoinLists(a.add)...) {
		if !slices.Contains(all, audience) {
			all = append(all, audience)
		}
	}
	return all
}
