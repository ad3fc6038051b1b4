// Package sheet describes resources to people: marks for how they are doing, values
// below each other, times and counts; and it makes of them what --format wants.
package sheet

import (
	"bytes"
	"fmt"
	"strings"
)

// Item is a line of a sheet: a name, what it is, and how deep it stands. What
// has neither a value nor items below it is left out.
type Item struct {
	Name, Value string
	Depth       int
}

// Line is an item.
func Line(depth int, name, value string) Item { return Item{name, value, depth} }

// oneLine is s with its line breaks shown.
func oneLine(s string) string { return strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s) }

// widest is how far values are moved to the right at most.
const widest = 40

// Write writes items with their values below each other.
func Write(b *bytes.Buffer, sheet []Item) {
	var shown []Item
	width := 0
	for i, it := range sheet {
		parent := i+1 < len(sheet) && sheet[i+1].Depth > it.Depth
		if it.Value == "" && !parent && !isVariable(sheet, i) {
			continue
		}
		shown = append(shown, it)
		width = max(width, min(widest, 2*it.Depth+len(it.Name)))
	}
	for _, it := range shown {
		name := strings.Repeat("  ", it.Depth) + it.Name + ":"
		fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("%-*s  %s", width+1, name, oneLine(it.Value)), " "))
	}
}

// variables stands above a container's environment.
const variables = "Env vars"

// isVariable reports whether an item is an environment variable, which may be
// empty.
func isVariable(sheet []Item, i int) bool {
	for j := i; j >= 0; j-- {
		if sheet[j].Depth < sheet[i].Depth {
			return sheet[j].Name == variables
		}
	}
	return false
}
