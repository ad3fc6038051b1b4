package format

import (
	"fmt"
	"regexp"
	"strings"
)

// Filter is a value of --filter, read: whether a row is to be shown.
type Filter func(Row) bool

// ParseFilter reads an expression of gcloud's filter language: comparisons of a
// key with a value (=, !=, <, <=, >, >=, ":" for has, "~" for a regular
// expression), joined by AND, OR, NOT and parentheses. Terms that only follow
// each other are joined by AND. An empty text lets everything through.
func ParseFilter(text string) (Filter, error) {
	p := &filterParser{tokens: tokens(text)}
	if len(p.tokens) == 0 {
		return func(Row) bool { return true }, nil
	}
	f, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("%q is one too many", p.tokens[0])
	}
	return f, err
}

// filterParser reads the tokens that are left.
type filterParser struct{ tokens []string }

// next takes the next token if it is word, whatever its case.
func (p *filterParser) next(word string) bool {
	if len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word) {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

// either reads terms joined by OR.
func (p *filterParser) either() (Filter, error) {
	left, err := p.both()
	for err == nil && p.next("OR") {
		var right Filter
		one := left
		right, err = p.both()
		left = func(r Row) bool { return one(r) || right(r) }
	}
	return left, err
}

// both reads terms joined by AND, or by nothing.
func (p *filterParser) both() (Filter, error) {
	left, err := p.term()
	for err == nil && len(p.tokens) > 0 && p.tokens[0] != ")" && !strings.EqualFold(p.tokens[0], "OR") {
		p.next("AND")
		var right Filter
		one := left
		right, err = p.term()
		left = func(r Row) bool { return one(r) && right(r) }
	}
	return left, err
}

// term reads one comparison, or what stands in parentheses, possibly negated.
func (p *filterParser) term() (Filter, error) {
	switch {
	case p.next("NOT") || p.next("-"):
		f, err := p.term()
		return func(r Row) bool { return !f(r) }, err
	case p.next("("):
		f, err := p.either()
		if err == nil && !p.next(")") {
			err = fmt.Errorf("a ) is missing")
		}
		return f, err
	case len(p.tokens) < 3:
		return nil, fmt.Errorf("%s: want KEY=VALUE, KEY:VALUE, KEY~REGEXP, KEY<VALUE or KEY>VALUE", strings.Join(p.tokens, " "))
	}
	path, operator := p.tokens[0], p.tokens[1]
	key, err := parseKey(path)
	if err != nil {
		return nil, err
	}
	p.tokens = p.tokens[2:]
	values, err := p.values()
	if err != nil {
		return nil, err
	}
	return comparison(key, operator, values)
}

// values reads the value of a comparison, or several in parentheses.
func (p *filterParser) values() (values []string, err error) {
	if !p.next("(") {
		value, err := p.value()
		return []string{value}, err
	}
	for !p.next(")") {
		if len(p.tokens) == 0 {
			return nil, fmt.Errorf("a ) is missing")
		}
		if p.next("OR") || p.next(",") {
			continue
		}
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// value takes the next token, without the quotes it may be in.
func (p *filterParser) value() (string, error) {
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	if token[0] != '"' && token[0] != '\'' {
		return token, nil
	}
	last := len(token) - 1
	if last == 0 || token[last] != token[0] {
		return "", fmt.Errorf("%s: the quotes do not end", token)
	}
	return token[1:last], nil
}

// comparison compares what is at a key with values, one of which must do.
func comparison(k key, operator string, values []string) (Filter, error) {
	var matches func(v any, want string) bool
	negated := strings.HasPrefix(operator, "!")
	switch strings.TrimPrefix(operator, "!") {
	case "=", "==":
		matches = equals
	case ":":
		matches = has
	case "~":
		expressions := map[string]*regexp.Regexp{} // compiled once, not for each row
		for _, v := range values {
			re, err := regexp.Compile(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v, err)
			}
			expressions[v] = re
		}
		matches = func(v any, want string) bool { return expressions[want].MatchString(text(v)) }
	case "<", "<=", ">", ">=":
		matches = func(v any, want string) bool { return v != nil && ordered(compare(text(v), want), operator) }
	default:
		return nil, fmt.Errorf("%q is no operator", operator)
	}
	return func(r Row) bool {
		v := k.of(r)
		for _, want := range values {
			if matches(v, want) {
				return !negated
			}
		}
		return negated
	}, nil
}

// ordered reports whether a comparison that came to order is what operator asks
// for.
func ordered(order int, operator string) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// equals reports whether v, or one of its elements, is want, whatever the case.
func equals(v any, want string) bool {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if equals(e, want) {
				return true
			}
		}
		return false
	}
	return strings.EqualFold(text(v), want) || v != nil && isNumber(want) && compare(text(v), want) == 0
}

// has reports whether v holds want: a word that begins so if want ends with a
// star, any value if want is a star alone.
func has(v any, want string) bool {
	switch x := v.(type) {
	case nil:
		return false
	case []any:
		for _, e := range x {
			if has(e, want) {
				return true
			}
		}
		return want == "*"
	case map[string]any:
		_, ok := x[want]
		return ok || want == "*"
	}
	got, want := strings.ToLower(text(v)), strings.ToLower(want)
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(got, prefix)
	}
	return strings.Contains(got, want)
}
