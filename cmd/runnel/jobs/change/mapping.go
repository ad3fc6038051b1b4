package change

import (
	"maps"
	"strings"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// mapping is the family of flags that change a map: set everything, update
// some, remove some, clear it. They are read as gcloud reads them: setting and
// clearing stand alone, updating and removing may stand together, and what is
// in both is there afterwards.
type mapping struct {
	flags  *pflag.FlagSet
	family string

	set, update, remove []string
	clear               bool
}

// register adds the family to flags. The labels' flag that elsewhere would be
// called --set-labels is --labels, and updates, as that of gcloud does.
func (m *mapping) register(flags *pflag.FlagSet, family, what string) {
	m.flags, m.family = flags, family
	if family == "labels" {
		flags.StringArrayVar(&m.set, family, nil, "the same as --update-labels, `KEY=VALUE,...`")
	} else {
		flags.StringArrayVar(&m.set, "set-"+family, nil, what+" that become all there are, `NAME=VALUE,...`")
	}
	flags.StringArrayVar(&m.update, "update-"+family, nil, what+" to add or change, `NAME=VALUE,...`")
	flags.StringArrayVar(&m.remove, "remove-"+family, nil, what+" to remove, `NAME,...`")
	flags.BoolVar(&m.clear, "clear-"+family, false, "remove all "+what)
}

// setName is the name of the family's first flag.
func (m *mapping) setName() string {
	if m.family == "labels" {
		return m.family
	}
	return "set-" + m.family
}

// names are the family's flags.
func (m *mapping) names() []string {
	return []string{m.setName(), "update-" + m.family, "remove-" + m.family, "clear-" + m.family}
}

// given is the first of the family that was given, "" if none was.
func (m *mapping) given() string {
	for _, name := range m.names() {
		if m.flags.Changed(name) {
			return name
		}
	}
	return ""
}

// check refuses flags of the family that cannot stand together, and values that
// are no NAME=VALUE.
func (m *mapping) check() error {
	set, update, remove, none := m.setName(), "update-"+m.family, "remove-"+m.family, "clear-"+m.family
	exclusive := [][2]string{{set, update}, {set, remove}, {set, none}, {none, update}, {none, remove}}
	if m.family == "labels" { // --labels is --update-labels
		exclusive = [][2]string{{set, update}, {none, remove}}
	}
	for _, pair := range exclusive {
		if m.flags.Changed(pair[0]) && m.flags.Changed(pair[1]) {
			return cli.Usagef("--%s: cannot stand beside --%s", pair[0], pair[1])
		}
	}
	for name, values := range map[string][]string{set: m.set, update: m.update} {
		if _, err := cli.Pairs(name, values); err != nil {
			return err
		}
	}
	for _, name := range cli.JoinLists(m.remove) {
		if strings.Contains(name, "=") {
			return cli.Usagef("--%s %s: want names alone", remove, name)
		}
	}
	return nil
}

// clears reports whether nothing that was there stays.
func (m *mapping) clears() bool {
	return m.clear || m.family != "labels" && m.flags.Changed(m.setName())
}

// removed are the names to remove.
func (m *mapping) removed() []string {
	names := cli.JoinLists(m.remove)
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return names
}

// pairs are those to set, once check has found them in order.
func (m *mapping) pairs() []cli.Pair {
	set, _ := cli.Pairs("", m.set)
	update, _ := cli.Pairs("", m.update)
	all := append(set, update...)
	for i := range all {
		all[i].Name = strings.TrimSpace(all[i].Name)
	}
	return all
}

// applyMap is old with the changes; nil if nothing is left. old stays.
func (m *mapping) applyMap(old map[string]string) map[string]string {
	values := map[string]string{}
	if !m.clears() {
		maps.Copy(values, old)
	}
	for _, name := range m.removed() {
		delete(values, name)
	}
	for _, p := range m.pairs() {
		values[p.Name] = p.Value
	}
	if len(values) == 0 {
		return nil
	}
	return values
}
