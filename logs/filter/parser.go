package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deeply a filter is nested.
const maxDepth = 50

// parser reads a filter. There is always one token ahead.
type parser struct {
	lexer  lexer
	schema Schema
	ahead  token
	depth  int
	// steps is how many steps regular expressions may still have.
	steps int
}

// parse reads the whole filter.
func (p *parser) parse() (node, error) {
	if err := p.step(false); err != nil {
		return nil, err
	}
	if p.ahead.kind == end {
		return and{}, nil
	}
	n, err := p.all(p.term)
	if err == nil && p.ahead.kind != end {
		err = p.unexpected()
	}
	return n, err
}

// step takes the next token.
func (p *parser) step(value bool) (err error) {
	p.ahead, err = p.lexer.next(value)
	return err
}

// is reports whether the token ahead is a word of the language.
func (p *parser) is(keyword string) bool { return p.ahead.kind == word && p.ahead.text == keyword }

// unexpected says that the token ahead is wrong.
func (p *parser) unexpected() error {
	if p.ahead.kind == end {
		return fmt.Errorf("it ends where more must follow")
	}
	return fmt.Errorf("unexpected %q at character %d", p.ahead.text, utf8.RuneCountInString(p.lexer.text[:p.ahead.at])+1)
}

// all reads parts that must all be true, up to the end or a closing
// parenthesis. one reads one thing that stands between operators.
func (p *parser) all(one func() (node, error)) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	var parts and
	for {
		n, err := p.any(one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
		if p.is("AND") {
			if err := p.step(false); err != nil {
				return nil, err
			}
			continue
		}
		if p.ahead.kind == end || p.ahead.kind == closing {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

// any reads parts of which one must be true.
func (p *parser) any(one func() (node, error)) (node, error) {
	var parts or
	for {
		n, err := p.negated(one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
		if !p.is("OR") {
			break
		}
		if err := p.step(false); err != nil {
			return nil, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

// negated reads one thing and what may stand before it.
func (p *parser) negated(one func() (node, error)) (node, error) {
	odd := false
	for p.is("NOT") || p.ahead.kind == minus {
		if err := p.step(false); err != nil {
			return nil, err
		}
		odd = !odd
	}
	n, err := one()
	if err != nil || !odd {
		return n, err
	}
	return not{n}, nil
}

// group reads what stands in parentheses; the opening one is ahead.
func (p *parser) group(one func() (node, error)) (node, error) {
	if err := p.step(false); err != nil {
		return nil, err
	}
	n, err := p.all(one)
	if err != nil {
		return nil, err
	}
	if p.ahead.kind != closing {
		return nil, p.unexpected()
	}
	return n, p.step(false)
}

// term reads a comparison, a bare text, a call, or a group of such.
func (p *parser) term() (node, error) {
	if p.ahead.kind == open {
		return p.group(p.term)
	}
	if p.is("AND") || p.is("OR") {
		return nil, p.unexpected()
	}
	path, bare, err := p.path()
	if err != nil {
		return nil, err
	}
	switch {
	case p.ahead.kind == operator:
		return p.comparison(path)
	case p.ahead.kind == open && bare && len(path) == 1:
		return p.call(path[0])
	case bare:
		return contains(strings.ToLower(strings.Join(path, "."))), nil
	case len(path) == 1:
		return contains(strings.ToLower(path[0])), nil
	}
	return nil, p.unexpected()
}

// path reads the path of a field, or a text. bare says that no part has quotes.
func (p *parser) path() (path []string, bare bool, err error) {
	bare = true
	for {
		after := p.ahead.after
		switch p.ahead.kind {
		case word:
			parts := strings.Split(p.ahead.text, ".")
			if len(path) > 0 && parts[0] == "" {
				parts = parts[1:] // the dot after a part in quotes
			}
			path = append(path, parts...)
		case quoted:
			if bare = false; len(path) > 0 && path[len(path)-1] == "" {
				path = path[:len(path)-1] // the dot before it
			}
			path = append(path, p.ahead.text)
		default:
			return nil, false, p.unexpected()
		}
		dot := strings.HasSuffix(p.ahead.text, ".") && p.ahead.kind == word
		if err := p.step(false); err != nil {
			return nil, false, err
		}
		// A path goes on right behind a dot.
		more := p.ahead.at == after && (dot && p.ahead.kind == quoted ||
			!dot && p.ahead.kind == word && strings.HasPrefix(p.ahead.text, "."))
		if !more {
			return path, bare, nil
		}
	}
}

// call reads the arguments of a function; the opening parenthesis is ahead.
func (p *parser) call(function string) (node, error) {
	if !strings.EqualFold(function, "log_id") {
		return nil, fmt.Errorf("there is no function %q here", function)
	}
	if err := p.step(true); err != nil {
		return nil, err
	}
	if p.ahead.kind != quoted && p.ahead.kind != word {
		return nil, p.unexpected()
	}
	id := p.ahead.text
	if err := p.step(false); err != nil {
		return nil, err
	}
	if p.ahead.kind != closing {
		return nil, p.unexpected()
	}
	return logID(id), p.step(false)
}

// comparison reads an operator, which is ahead, and one value or several.
func (p *parser) comparison(path []string) (node, error) {
	name := strings.Join(path, ".")
	kind, ok := p.schema.Kind(path)
	if !ok {
		return nil, fmt.Errorf("there is no field %q", name)
	}
	op := p.ahead.text
	if err := p.step(true); err != nil {
		return nil, err
	}
	value := func() (node, error) {
		if p.ahead.kind != word && p.ahead.kind != quoted {
			return nil, p.unexpected()
		}
		c := &comparison{path: path, name: name, kind: kind, op: op, text: p.ahead.text, any: p.ahead.kind == word && p.ahead.text == "*"}
		if err := c.compile(p.schema, &p.steps); err != nil {
			return nil, err
		}
		return c, p.step(false)
	}
	if p.ahead.kind != open {
		return value()
	}
	var element func() (node, error)
	element = func() (node, error) {
		if p.ahead.kind == open {
			return p.group(element)
		}
		return value()
	}
	return p.group(element)
}
