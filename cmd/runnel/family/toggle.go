package family

import (
	"strconv"

	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

// Toggle is a flag that is said or denied: --NAME or --no-NAME.
type Toggle struct {
	set  *pflag.FlagSet
	name string
	// On is what was said; it says nothing if the flag is not Given.
	On bool
}

// Register adds both flags to set; usage is that of the first.
func (t *Toggle) Register(set *pflag.FlagSet, name, usage string) {
	t.set, t.name = set, name
	set.BoolVar(&t.On, name, false, usage+"; --no-"+name+" for the opposite")
	no := set.VarPF(denial{t}, t.no(), "", "the opposite of --"+name)
	no.NoOptDefVal, no.Hidden = "true", true
}

// no is the name of the denial.
func (t *Toggle) no() string { return "no-" + t.name }

// Given reports whether one of the flags was; none was before Register.
func (t *Toggle) Given() bool {
	return t.set != nil && (t.set.Changed(t.name) || t.set.Changed(t.no()))
}

// Check refuses both at once.
func (t *Toggle) Check() error {
	if t.set != nil && t.set.Changed(t.name) && t.set.Changed(t.no()) {
		return cli.Usagef("--%s: cannot stand beside --%s", t.name, t.no())
	}
	return nil
}

// denial is the value of --no-NAME.
type denial struct{ of *Toggle }

// Set implements pflag.Value.
func (d denial) Set(text string) error {
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return err
	}
	d.of.On = !yes
	return nil
}

// String implements pflag.Value. It is asked of values that belong to no flag.
func (d denial) String() string { return "false" }

// Type implements pflag.Value.
func (denial) Type() string { return "bool" }
