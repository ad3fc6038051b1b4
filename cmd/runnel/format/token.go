package format

import "strings"

// tokens divides a filter into words, quoted texts, operators, parentheses and
// commas.
func tokens(text string) (all []string) {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return all
		}
		n := tokenLength(text)
		all = append(all, text[:n])
		text = text[n:]
	}
}

// tokenLength is the length of the token that text begins with.
func tokenLength(text string) int {
	for _, operator := range []string{"!=", "!:", "!~", "<=", ">=", "==", "=", ":", "~", "<", ">", "(", ")", ","} {
		if strings.HasPrefix(text, operator) {
			return len(operator)
		}
	}
	if text[0] == '-' && len(text) > 1 && (text[1] == '(' || letter(text[1])) {
		return 1 // a negation
	}
	quote := byte(0)
	for i := range len(text) {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(" \t\r\n!=<>~(),", c) >= 0, c == ':' && !isTime(text, i):
			return i
		}
	}
	return len(text)
}

// isTime reports whether the colon at i stands in a time of day.
func isTime(text string, i int) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	return i >= 2 && i+2 < len(text) && digit(text[i-1]) && digit(text[i-2]) && digit(text[i+1]) && digit(text[i+2])
}

// letter reports whether c is an ASCII letter.
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
