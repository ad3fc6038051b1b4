// Package family is the flags that resources of all kinds have in common for
// environment variables, labels and whatever else is a map, for what is said or
// denied, and what they do to a container. It is pure but for the file of
// environment variables that a flag may name.
package family

import (
	"maps"
	"strings"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// Mapping is the family of flags that change a map: set everything, update
// some, remove some, clear it. They are read as gcloud reads them: setting and
// clearing stand alone, updating and removing may stand together, and what is
// in both is there afterwards.
type Mapping struct {
	flags  *pflag.FlagSet
	family string

	set, update, remove []string
	clear               bool
}

// Register adds the family to flags. The labels' flag that elsewhere would be
// called --set-labels is --labels, and updates, as that of gcloud does.
func (m *Mapping) Register(flags *pflag.FlagSet, family, what string) {
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
func (m *Mapping) setName() string {
	if m.family == "labels" {
		return m.family
	}
	return "set-" + m.family
}

// names are the family's flags.
func (m *Mapping) names() []string {
	return []string{m.setName(), "update-" + m.family, "remove-" + m.family, "clear-" + m.family}
}

// Given is the first of the family that was given, "" if none was.
func (m *Mapping) Given() string {
	for _, name := range m.names() {
		if m.flags.Changed(name) {
			return name
		}
	}
	return ""
}

// Check refuses flags of the family that cannot stand together, and values that
// are no NAME=VALUE.
func (m *Mapping) Check() error {
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

// Clears reports whether nothing that was there stays.
func (m *Mapping) Clears() bool {
	return m.clear || m.family != "labels" && m.flags.Changed(m.setName())
}

// Removed are the names to remove.
func (m *Mapping) Removed() []string {
	names := cli.JoinLists(m.remove)
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return names
}

// Pairs are those to set, once Check has found them in order.
func (m *Mapping) Pairs() []cli.Pair {
	set, _ := cli.Pairs("", m.set)
	update, _ := cli.Pairs("", m.update)
	all := append(set, update...)
	for i := range all {
		all[i].Name = strings.TrimSpace(all[i].Name)
	}
	return all
}

// Apply is old with the changes; nil if nothing is left. old stays.
func (m *Mapping) Apply(old map[string]string) map[string]string {
	values := map[string]string{}
	if !m.Clears() {
		maps.Copy(values, old)
	}
	for _, name := range m.Removed() {
		delete(values, name)
	}
	for _, p := range m.Pairs() {
		values[p.Name] = p.Value
	}
	if len(values) == 0 {
		return nil
	}
	return values
}
