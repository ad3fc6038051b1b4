package v1

import (
	"fmt"
	"slices"
	"strings"
)

// selector is a conjunction of what must hold of an object's labels.
type selector []requirement

// requirement is one thing that must hold of a label.
type requirement struct {
	key string
	// values are those that are meant; nil: any.
	values []string
	// not turns the requirement round. An object without the label then meets
	// it.
	not bool
}

// matches reports whether labels meet every requirement.
func (s selector) matches(labels map[string]string) bool {
	for _, r := range s {
		v, ok := labels[r.key]
		if meant := ok && (r.values == nil || slices.Contains(r.values, v)); meant == r.not {
			return false
		}
	}
	return true
}

// only returns the one value that s lets a label have, if that can be part of
// a name.
func (s selector) only(key string) (string, bool) {
	for _, r := range s {
		if r.key == key && !r.not && len(r.values) == 1 && r.values[0] != "" && r.values[0] != "-" && !strings.Contains(r.values[0], "/") {
			return r.values[0], true
		}
	}
	return "", false
}

// parseSelector reads "a = b, c != d, e in (f,g), h notin (i), j, !k".
func parseSelector(text string) (selector, error) {
	var s selector
	rest := strings.TrimSpace(text)
	for rest != "" {
		var (
			r   requirement
			err error
		)
		if r, rest, err = parseRequirement(rest); err != nil {
			return nil, err
		}
		s = append(s, r)
		if rest == "" {
			break
		}
		if rest[0] != ',' {
			return nil, fmt.Errorf("%q follows %s: want a comma", rest, r.key)
		}
		if rest = strings.TrimSpace(rest[1:]); rest == "" {
			return nil, fmt.Errorf("%q ends with a comma", text)
		}
	}
	return s, nil
}

// parseRequirement reads one requirement and returns what follows it.
func parseRequirement(text string) (r requirement, rest string, err error) {
	rest = text
	if strings.HasPrefix(rest, "!") {
		r.not, rest = true, strings.TrimSpace(rest[1:])
	}
	r.key, rest = word(rest)
	if r.key == "" {
		return r, "", fmt.Errorf("%q does not begin with a label's key", text)
	}
	if r.not || rest == "" || rest[0] == ',' {
		return r, rest, nil
	}
	for _, operator := range []string{"==", "!=", "="} {
		if after, ok := strings.CutPrefix(rest, operator); ok {
			value, rest := word(strings.TrimSpace(after))
			r.values, r.not = []string{value}, operator == "!="
			return r, rest, nil
		}
	}
	operator, rest := word(rest)
	switch strings.ToLower(operator) {
	case "in":
	case "notin":
		r.not = true
	default:
		return r, "", fmt.Errorf("%s is followed by %q: want =, !=, in or notin", r.key, operator+rest)
	}
	if r.values, rest, err = set(rest); err != nil {
		return r, "", fmt.Errorf("the values of %s: %w", r.key, err)
	}
	return r, rest, nil
}

// word returns what stands before the next space or mark, and what follows
// without spaces before it.
func word(text string) (string, string) {
	i := strings.IndexAny(text, " \t,=!()")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}

// set reads "(a, b)" and returns what follows it.
func set(text string) (values []string, rest string, err error) {
	text, ok := strings.CutPrefix(text, "(")
	inside, rest, closed := strings.Cut(text, ")")
	if !ok || !closed {
		return nil, "", fmt.Errorf("want them in parentheses, with commas between them")
	}
	for value := range strings.SplitSeq(inside, ",") {
		values = append(values, strings.TrimSpace(value))
	}
	return values, strings.TrimSpace(rest), nil
}
