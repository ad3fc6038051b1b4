package format

import "strings"

// split divides text at a separator that stands in no quotes, brackets or
// parentheses. Nothing has no parts.
func split(text string, separator byte) (parts []string) {
	for strings.TrimSpace(text) != "" {
		part, rest, found := cutOutside(text, separator)
		parts = append(parts, part)
		if !found {
			break
		}
		text = rest
	}
	return parts
}

// cutOutside is strings.Cut at a separator that stands in no quotes, brackets
// or parentheses.
func cutOutside(text string, separator byte) (before, after string, found bool) {
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == separator && depth == 0:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
