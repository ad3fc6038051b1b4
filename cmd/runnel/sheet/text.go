package sheet

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/verb"
)

// Heading writes the first line of a description.
func (p Palette) Heading(b *bytes.Buffer, s State, kind, name string) {
	fmt.Fprintf(b, "%s %s %s in region %s\n", p.Cell(s), kind, verb.Short(name), verb.Part(name, "locations"))
}

// Message writes what the condition says that ends a resource's work.
func (p Palette) Message(b *bytes.Buffer, done *runpb.Condition) {
	if message := done.GetMessage(); message != "" {
		m := p.Mark(StateOf(done))
		fmt.Fprintln(b, p.Colored(m, m.Symbol+" "+message))
	}
}

// Labels writes labels in one line, if there are some besides those that programs
// set for themselves.
func Labels(b *bytes.Buffer, labels map[string]string) {
	var all []string
	for k, v := range labels {
		if isInternal(k) {
			continue
		}
		all = append(all, k+":"+v)
	}
	if len(all) > 0 {
		slices.Sort(all)
		fmt.Fprintf(b, "%s\n\n", strings.Join(all, " "))
	}
}

// Count is a number of things.
func Count(n int32, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Elapsed is a duration in its two largest units, of which days are none.
func Elapsed(d time.Duration) string {
	hours, minutes, seconds := int32(d.Hours()), int32(d.Minutes())%60, int32(d.Seconds())%60
	switch {
	case hours > 0:
		return Count(hours, "hour") + " and " + Count(minutes, "minute")
	case minutes > 0:
		return Count(minutes, "minute") + " and " + Count(seconds, "second")
	}
	return Count(seconds, "second")
}

// Brief is a duration such as 1h1m, without the units that are zero.
func Brief(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	left := d.AsDuration().Round(time.Second)
	var b strings.Builder
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := left / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.letter)
			left -= n * unit.length
		}
	}
	return cmp.Or(b.String(), "0s")
}

// Condition is the one of a type, nil if there is none.
func Condition(all []*runpb.Condition, kind string) *runpb.Condition {
	for _, c := range all {
		if c.GetType() == kind {
			return c
		}
	}
	return nil
}

// isInternal reports whether a label is of no interest to people.
func isInternal(label string) bool {
	for _, group := range []string{"client.knative.dev/", "serving.knative.dev/", "run.googleapis.com/", "cloud.googleapis.com/"} {
		if strings.HasPrefix(label, group) {
			return true
		}
	}
	return false
}
