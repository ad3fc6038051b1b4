package format

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// One writes a single resource. Default and None write nothing.
func (f Format) One(row Row) ([]byte, error) {
	switch f.Kind {
	case JSON:
		return appendJSON(nil, row.Resource)
	case YAML, Export:
		return appendYAML(nil, row.Resource)
	}
	return f.projected([]Row{row}), nil
}

// List writes several resources: JSON as an array, YAML as documents. Default
// and None write nothing.
func (f Format) List(rows []Row) ([]byte, error) {
	switch f.Kind {
	case JSON:
		resources := make([]any, len(rows))
		for i, row := range rows {
			resources[i] = row.Resource
		}
		return appendJSON(nil, resources)
	case YAML, Export:
		var out []byte
		for _, row := range rows {
			out = append(out, "---\n"...)
			var err error
			if out, err = appendYAML(out, row.Resource); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return f.projected(rows), nil
}

// appendJSON adds v, indented.
func appendJSON(out []byte, v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(out, b.Bytes()...), nil
}

// projected writes the columns of rows.
func (f Format) projected(rows []Row) []byte {
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(f.columns))
		for j, c := range f.columns {
			cells[i][j] = text(c.key.of(row))
		}
	}
	labels := make([]string, len(f.columns))
	for i, c := range f.columns {
		labels[i] = c.label
	}
	var b bytes.Buffer
	switch f.Kind {
	case Value:
		for _, row := range cells {
			fmt.Fprintln(&b, strings.Join(row, f.separator))
		}
	case CSV:
		f.csv(&b, cells)
	case Table:
		if f.noHeading {
			labels = nil
		}
		b.Write(Columns(labels, cells))
	}
	return b.Bytes()
}

// csv writes rows and, above them, the columns' names, which csv has in lower
// case where no label is given.
func (f Format) csv(b *bytes.Buffer, cells [][]string) {
	w := csv.NewWriter(b)
	if comma, size := utf8.DecodeRuneInString(f.separator); size == len(f.separator) && size > 0 {
		w.Comma = comma
	}
	if !f.noHeading {
		labels := make([]string, len(f.columns))
		for i, c := range f.columns {
			if labels[i] = c.label; c.label == heading(c.key) {
				labels[i] = strings.ToLower(c.label)
			}
		}
		_ = w.Write(labels) // a buffer takes everything
	}
	_ = w.WriteAll(cells)
}

// Columns lays out cells under labels, with two spaces between columns; nil
// labels leave the heading out. Every row has as many cells as there are
// labels. Escape sequences in a cell take no room.
func Columns(labels []string, cells [][]string) []byte {
	var all [][]string
	if labels != nil {
		all = append(all, labels)
	}
	all = append(all, cells...)
	var widths []int
	for _, row := range all {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	var b bytes.Buffer
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
		}
		fmt.Fprintln(&b, strings.TrimRight(line.String(), " "))
	}
	return b.Bytes()
}

// width is how many columns a cell takes on a terminal.
func width(cell string) int {
	n := 0
	for {
		before, rest, found := strings.Cut(cell, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			return n
		}
		_, cell, _ = strings.Cut(rest, "m")
	}
}

// text is a value in a cell.
func text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		if x {
			return "True"
		}
		return "False"
	case []any:
		return strings.Join(each(x), ";")
	case map[string]any:
		var pairs []string
		for k, e := range x {
			pairs = append(pairs, k+"="+text(e))
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ";")
	}
	return fmt.Sprint(v)
}

// each is the text of every element.
func each(list []any) []string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = text(e)
	}
	return texts
}
