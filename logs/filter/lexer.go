package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// kinds of tokens.
type tokenKind int

const (
	end      tokenKind = iota
	word               // a text without quotes
	quoted             // a text in quotes, which are taken off
	operator           // a comparison
	open               // (
	closing            // )
	minus              // - right before something
	comma
)

// token is a piece of a filter.
type token struct {
	kind tokenKind
	text string
	// at is where it begins, in bytes; after is where it ends.
	at, after int
}

// lexer cuts a filter into tokens.
type lexer struct {
	text string
	at   int
}

// operators are the comparisons, the longer ones first.
var operators = [...]string{"!=", ">=", "<=", "=~", "!~", "=", ">", "<", ":"}

// next is the next token. In a value, a word may have in it what is an operator
// elsewhere.
func (l *lexer) next(value bool) (token, error) {
	l.space()
	t := token{kind: end, at: l.at, after: l.at}
	if l.at == len(l.text) {
		return t, nil
	}
	rest := l.text[l.at:]
	switch rest[0] {
	case '(', ')', ',':
		t.kind, t.text = map[byte]tokenKind{'(': open, ')': closing, ',': comma}[rest[0]], rest[:1]
	case '"', '\'':
		return l.quoted()
	case '-':
		if !value && len(rest) > 1 && !strings.ContainsRune(" \t\r\n", rune(rest[1])) {
			t.kind, t.text = minus, rest[:1]
			break
		}
		fallthrough
	default:
		t.kind, t.text = cut(rest, value)
	}
	l.at += len(t.text)
	t.after = l.at
	return t, nil
}

// cut takes an operator or a word from the beginning of rest.
func cut(rest string, value bool) (tokenKind, string) {
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return operator, op
		}
	}
	stops := " \t\r\n\"'(),"
	if !value {
		stops += "=<>!:"
	}
	n := strings.IndexAny(rest, stops)
	switch {
	case n < 0:
		n = len(rest)
	case n == 0:
		n = 1 // an exclamation mark by itself
	}
	return word, rest[:n]
}

// space passes over what stands between tokens: comments, too.
func (l *lexer) space() {
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case strings.ContainsRune(" \t\r\n", rune(rest[0])):
			l.at++
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.at += n
		default:
			return
		}
	}
}

// quoted takes a text in quotes.
func (l *lexer) quoted() (token, error) {
	begin, quote := l.at, l.text[l.at]
	for i := begin + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case quote:
			l.at = i + 1
			return token{quoted, unescape(l.text[begin+1 : i]), begin, l.at}, nil
		}
	}
	return token{}, fmt.Errorf("the quote at character %d is not closed", utf8.RuneCountInString(l.text[:begin])+1)
}

// unescape replaces what stands behind backslashes by what it stands for.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(s)
}
