package format

import (
	"fmt"
	"strconv"
	"strings"
)

// key leads to a value in a row: the steps of a path, and what is done to the
// value there.
type key struct {
	steps      []step
	transforms []transform
}

// step is one step: to the field of a name, to an element, or to all of them.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind int

const (
	toField stepKind = iota
	toElement
	toAll
)

// parseKey reads a path such as status.conditions[0].type or
// metadata.labels."run.googleapis.com/job".basename().
func parseKey(text string) (key, error) {
	var k key
	rest := strings.TrimSpace(text)
	for rest != "" {
		part, after, err := cutStep(rest)
		if err != nil {
			return k, fmt.Errorf("key %s: %w", text, err)
		}
		rest = after
		name, arguments, call := strings.Cut(part, "(")
		switch {
		case call && !strings.HasPrefix(part, `"`) && !strings.HasPrefix(part, "'"):
			t, err := parseTransform(name, strings.TrimSuffix(arguments, ")"))
			if err != nil {
				return k, fmt.Errorf("key %s: %w", text, err)
			}
			k.transforms = append(k.transforms, t)
		case strings.HasPrefix(part, "["):
			s, err := parseIndex(part)
			if err != nil {
				return k, fmt.Errorf("key %s: %w", text, err)
			}
			k.steps = append(k.steps, s)
		default:
			k.steps = append(k.steps, step{name: strings.Trim(part, `"'`)})
		}
	}
	if len(k.steps) == 0 {
		return k, fmt.Errorf("key %q: want a path such as metadata.name", text)
	}
	return k, nil
}

// cutStep takes the first step off a path.
func cutStep(text string) (first, rest string, err error) {
	text = strings.TrimPrefix(text, ".")
	if strings.HasPrefix(text, "[") {
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return "", "", fmt.Errorf("a ] is missing")
		}
		return text[:end+1], text[end+1:], nil
	}
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth == 0 && (c == '.' || c == '['):
			return text[:i], text[i:], nil
		}
	}
	if quote != 0 || depth != 0 {
		return "", "", fmt.Errorf("quotes or parentheses do not end")
	}
	return text, "", nil
}

// parseIndex reads [N], [] and ["NAME"].
func parseIndex(part string) (step, error) {
	inner := strings.Trim(part, "[] ")
	if inner == "" || inner == "*" {
		return step{kind: toAll}, nil
	}
	if n, err := strconv.Atoi(inner); err == nil {
		return step{kind: toElement, index: n}, nil
	}
	if inner[0] == '"' || inner[0] == '\'' {
		return step{name: strings.Trim(inner, `"'`)}, nil
	}
	return step{}, fmt.Errorf("[%s]: want a number", inner)
}

// of is the value that k leads to in row, nil if there is none.
func (k key) of(row Row) any {
	value := walk(row.Resource, k.steps)
	if value == nil && k.steps[0].kind == toField {
		if attribute, ok := row.Attributes[k.steps[0].name]; ok {
			value = walk(attribute, k.steps[1:])
		}
	}
	for _, t := range k.transforms {
		value = t(value)
	}
	return value
}

// walk takes steps from v.
func walk(v any, steps []step) any {
	if len(steps) == 0 || v == nil {
		return v
	}
	first, rest := steps[0], steps[1:]
	switch x := v.(type) {
	case map[string]any:
		if first.kind == toField {
			return walk(x[first.name], rest)
		}
	case []any:
		return walkList(x, first, rest, steps)
	}
	return nil
}

// walkList takes steps from a list: a field's name means that of each element.
func walkList(list []any, first step, rest, steps []step) any {
	switch first.kind {
	case toElement:
		i := first.index
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i >= len(list) {
			return nil
		}
		return walk(list[i], rest)
	case toField:
		rest = steps
	}
	var all []any
	for _, element := range list {
		if v := walk(element, rest); v != nil {
			all = append(all, v)
		}
	}
	if all == nil {
		return nil
	}
	return all
}
