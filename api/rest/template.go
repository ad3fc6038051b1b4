package rest

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
)

// template is a path template of google.api.http, such as
//
//	/v2/{name=projects/*/locations/*/jobs/*}:run
//
// in pieces. "*" stands for one segment that is not empty, "**" for all that
// follow, even none; a variable is what some of the segments say together.
type template struct {
	segments  []string
	variables []variable
	verb      string
}

// variable is the part of a path that becomes a field of the request.
type variable struct {
	field string
	// The segments from..to of the template, to excluded; to is -1 if the last
	// of them is "**".
	from, to int
	// whole says that the variable may be of several segments, in which an
	// escaped slash stays escaped: it would look like one that parts them.
	whole bool
}

// binding is a variable's value in one path.
type binding struct{ field, value string }

// parseTemplate takes a template apart.
func parseTemplate(text string) (template, error) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return template{}, fmt.Errorf("path template %q does not begin with a slash", text)
	}
	var t template
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.ContainsAny(rest[i:], "/}") {
		rest, t.verb = rest[:i], rest[i+1:]
	}
	for rest != "" {
		var err error
		if rest, err = t.parseNext(rest); err != nil {
			return template{}, fmt.Errorf("path template %q: %w", text, err)
		}
	}
	return t, t.check(text)
}

// parseNext takes the next segment or variable off rest.
func (t *template) parseNext(rest string) (string, error) {
	if !strings.HasPrefix(rest, "{") {
		segment, rest, _ := strings.Cut(rest, "/")
		t.segments = append(t.segments, segment)
		return rest, nil
	}
	inner, rest, ok := strings.Cut(rest[1:], "}")
	if !ok {
		return "", fmt.Errorf("a brace is not closed")
	}
	if rest != "" && rest[0] != '/' {
		return "", fmt.Errorf("%q follows a variable", rest)
	}
	field, pattern, ok := strings.Cut(inner, "=")
	if !ok {
		pattern = "*"
	}
	if field == "" {
		return "", fmt.Errorf("a variable has no name")
	}
	v := variable{field: field, from: len(t.segments), whole: pattern != "*"}
	t.segments = append(t.segments, strings.Split(pattern, "/")...)
	if v.to = len(t.segments); t.segments[v.to-1] == "**" {
		v.to = -1
	}
	t.variables = append(t.variables, v)
	return strings.TrimPrefix(rest, "/"), nil
}

// check finds what match could not deal with.
func (t *template) check(text string) error {
	for i, s := range t.segments {
		switch {
		case s == "" || s != "*" && s != "**" && strings.ContainsAny(s, "*{}=:"):
			return fmt.Errorf("path template %q: %q is no segment", text, s)
		case s == "**" && i != len(t.segments)-1:
			return fmt.Errorf("path template %q: ** is not the last segment", text)
		}
	}
	return nil
}

// match returns what the variables are in p, and whether t is a template of p.
func (t *template) match(p path) ([]binding, bool) {
	if p.verb != t.verb || !t.matchSegments(p.segments) {
		return nil, false
	}
	found := make([]binding, len(t.variables))
	for i, v := range t.variables {
		segments := p.segments[v.from:]
		if v.to >= 0 {
			segments = p.segments[v.from:v.to]
		}
		found[i] = binding{v.field, join(segments, v.whole)}
	}
	return found, true
}

// matchSegments reports whether the segments of a path are those of t.
func (t *template) matchSegments(segments []string) bool {
	for i, want := range t.segments {
		switch {
		case want == "**":
			return true
		case i == len(segments):
			return false
		case want == "*" && segments[i] == "", want != "*" && want != segments[i]:
			return false
		}
	}
	return len(segments) == len(t.segments)
}

// path is the path of a request in pieces, the segments still escaped.
type path struct {
	segments []string
	verb     string
}

// noVerb is the verb of a path that ends with a colon. No template has it.
const noVerb = ":"

// parsePath takes an escaped path apart. A colon in its last segment, escaped or
// not, begins a verb: no name of a resource has one there.
func parsePath(escaped string) (path, error) {
	if decoded, err := url.PathUnescape(escaped); err != nil || !strings.HasPrefix(decoded, "/") {
		return path{}, fmt.Errorf("%q is not a path", escaped)
	}
	p := path{segments: strings.Split(escaped[1:], "/")}
	last := &p.segments[len(p.segments)-1]
	plain := strings.NewReplacer("%3A", ":", "%3a", ":").Replace(*last)
	if i := strings.LastIndexByte(plain, ':'); i >= 0 {
		*last, p.verb = plain[:i], cmp.Or(plain[i+1:], noVerb)
	}
	return p, nil
}

// join is the decoded text of segments.
func join(segments []string, whole bool) string {
	text := strings.Join(segments, "/")
	if whole {
		text = strings.NewReplacer("%2F", "%252F", "%2f", "%252f").Replace(text)
	}
	decoded, err := url.PathUnescape(text)
	if err != nil {
		return text // cannot be: parsePath has decoded it before
	}
	return decoded
}
