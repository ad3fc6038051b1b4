// Package format shows resources in the forms of gcloud's --format: json, yaml,
// export, value(...), csv(...), table(...) and none, and picks and orders them
// as --filter and --sort-by say. It knows resources only as trees of JSON.
package format

import (
	"fmt"
	"strings"
)

// Row is one resource to show.
type Row struct {
	// Resource is what encoding/json decodes into an any; numbers may be
	// json.Number.
	Resource any
	// Attributes are names that keys may use besides the resource's own, such as
	// region for a label of a long name.
	Attributes map[string]any
}

// Kind is one of the forms.
type Kind string

// The forms. Default is whatever the command shows when nothing is said.
const (
	Default Kind = ""
	JSON    Kind = "json"
	YAML    Kind = "yaml"
	Export  Kind = "export"
	Value   Kind = "value"
	CSV     Kind = "csv"
	Table   Kind = "table"
	None    Kind = "none"
)

// Format is a value of --format, read.
type Format struct {
	Kind Kind
	// columns are those of value, csv and table.
	columns   []column
	noHeading bool
	separator string // of value and csv
}

// column is one key of a projection.
type column struct {
	key   key
	label string
}

// Kinds are the forms as they begin, for completion.
func Kinds() []string {
	return []string{"json", "yaml", "export", "value(", "csv(", "table(", "none"}
}

// Parse reads a value of --format: a form, possibly with attributes in brackets
// and keys in parentheses, such as value(metadata.name,status.conditions[0].type)
// or csv[no-heading](name).
func Parse(text string) (Format, error) {
	text = strings.TrimSpace(text)
	name, rest := text, ""
	if i := strings.IndexAny(text, "[("); i >= 0 {
		name, rest = text[:i], text[i:]
	}
	f := Format{Kind: Kind(strings.TrimSpace(name))}
	switch f.Kind {
	case Default, JSON, YAML, Export, Value, CSV, Table, None:
	default:
		return f, fmt.Errorf("want json, yaml, export, value(KEY,...), csv(KEY,...), table(KEY:label=NAME,...) or none")
	}
	rest, err := f.parseAttributes(rest)
	if err != nil {
		return f, err
	}
	switch projects := f.Kind == Value || f.Kind == CSV || f.Kind == Table; {
	case projects && rest == "":
		return f, fmt.Errorf("%s needs keys: want %[1]s(KEY,...)", f.Kind)
	case projects:
		return f, f.parseColumns(rest)
	case rest != "":
		return f, fmt.Errorf("%s takes no keys", f.Kind)
	}
	return f, nil
}

// parseAttributes reads what stands in brackets, and returns what is behind.
func (f *Format) parseAttributes(text string) (rest string, err error) {
	f.separator = map[Kind]string{Value: "\t", CSV: ","}[f.Kind]
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return text, nil
	}
	inner, rest, ok = strings.Cut(inner, "]")
	if !ok {
		return "", fmt.Errorf("a ] is missing")
	}
	for _, attribute := range split(inner, ',') {
		name, value, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		switch name {
		case "no-heading":
			f.noHeading = true
		case "separator":
			f.separator = strings.Trim(value, `"'`)
		case "box", "all-box", "no-box", "": // shown without boxes
		default:
			return "", fmt.Errorf("attribute %s is not supported: want no-heading or separator", name)
		}
	}
	return rest, nil
}

// parseColumns reads keys in parentheses.
func (f *Format) parseColumns(text string) error {
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "(")
	if ok {
		inner, ok = strings.CutSuffix(inner, ")")
	}
	if !ok {
		return fmt.Errorf("want the keys of %s in parentheses", f.Kind)
	}
	for _, text := range split(inner, ',') {
		path, attributes, _ := cutOutside(strings.TrimSpace(text), ':')
		key, err := parseKey(path)
		if err != nil {
			return err
		}
		c := column{key: key, label: heading(key)}
		for _, attribute := range split(attributes, ':') {
			if label, ok := strings.CutPrefix(attribute, "label="); ok {
				c.label = strings.Trim(label, `"'`)
			}
		}
		f.columns = append(f.columns, c)
	}
	if len(f.columns) == 0 {
		return fmt.Errorf("%s needs keys: want %[1]s(KEY,...)", f.Kind)
	}
	return nil
}

// heading is the label of a column whose key gives it none.
func heading(k key) string {
	for i := len(k.steps) - 1; i >= 0; i-- {
		if name := k.steps[i].name; name != "" {
			return strings.ToUpper(snake(name))
		}
	}
	return ""
}

// snake writes camelCase as snake_case.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return b.String()
}
