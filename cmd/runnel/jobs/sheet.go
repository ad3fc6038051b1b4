package jobs

import (
	"bytes"
	"fmt"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// item is a line of a sheet: a name, what it is, and how deep it stands. What
// has neither a value nor items below it is left out.
type item struct {
	name, value string
	depth       int
}

// countsSheet is how many tasks there are.
func countsSheet(tasks, parallelism int32) []item {
	most := "No limit"
	if parallelism > 0 {
		most = fmt.Sprint(parallelism)
	}
	return []item{{"Tasks", fmt.Sprint(tasks), 0}, {"Parallelism", most, 0}}
}

// taskSheet is what tasks are made from.
func taskSheet(t *runpb.TaskTemplate) (sheet []item) {
	for _, c := range t.GetContainers() {
		depth := 0
		if name := c.GetName(); name != "" || len(t.GetContainers()) > 1 {
			sheet = append(sheet, item{"Container " + name, "", 0})
			depth = 1
		}
		sheet = append(sheet, containerSheet(c, depth)...)
	}
	sheet = append(sheet, item{"Task Timeout", brief(t.GetTimeout()), 0})
	if t.GetRetries() != nil {
		sheet = append(sheet, item{"Max Retries", fmt.Sprint(t.GetMaxRetries()), 0})
	}
	return append(sheet, item{"Service account", t.GetServiceAccount(), 0})
}

// containerSheet is what runs.
func containerSheet(c *runpb.Container, depth int) []item {
	limits := c.GetResources().GetLimits()
	sheet := []item{
		{"Image", c.GetImage(), depth},
		{"Command", strings.Join(c.GetCommand(), " "), depth},
		{"Args", strings.Join(c.GetArgs(), " "), depth},
		{"Working directory", c.GetWorkingDir(), depth},
		{"Memory", limits["memory"], depth},
		{"CPU", limits["cpu"], depth},
	}
	if len(c.GetEnv()) > 0 {
		sheet = append(sheet, item{"Env vars", "", depth})
	}
	for _, v := range c.GetEnv() {
		sheet = append(sheet, item{v.GetName(), v.GetValue(), depth + 1})
	}
	return sheet
}

// oneLine is s with its line breaks shown.
func oneLine(s string) string { return strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s) }

// widest is how far values are moved to the right at most.
const widest = 40

// writeSheet writes items with their values below each other.
func writeSheet(b *bytes.Buffer, sheet []item) {
	var shown []item
	width := 0
	for i, it := range sheet {
		parent := i+1 < len(sheet) && sheet[i+1].depth > it.depth
		if it.value == "" && !parent && !isVariable(sheet, i) {
			continue
		}
		shown = append(shown, it)
		width = max(width, min(widest, 2*it.depth+len(it.name)))
	}
	for _, it := range shown {
		name := strings.Repeat("  ", it.depth) + it.name + ":"
		fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("%-*s  %s", width+1, name, oneLine(it.value)), " "))
	}
}

// isVariable reports whether an item is an environment variable, which may be
// empty.
func isVariable(sheet []item, i int) bool {
	for j := i; j >= 0; j-- {
		if sheet[j].depth < sheet[i].depth {
			return sheet[j].name == "Env vars"
		}
	}
	return false
}
