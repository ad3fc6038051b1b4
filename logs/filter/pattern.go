package filter

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// maxPattern bounds the regular expressions of a filter: how many steps their
// programs have together. As many may be done for each character of each entry,
// and a short text can stand for millions: .{1000}.{1000}.{1000} and so on.
const maxPattern = 5_000

// compilePattern compiles a regular expression that takes at most as many steps
// as are left. It tells how many are left then.
func compilePattern(text string, left int) (*regexp.Regexp, int, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, left, fmt.Errorf("%q is not a regular expression", text)
	}
	if left -= steps(tree, left); left < 0 {
		return nil, left, fmt.Errorf("the regular expressions repeat too much: together they come to more than %d steps", maxPattern)
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, left, fmt.Errorf("%q is not a regular expression", text)
	}
	return pattern, left, nil
}

// steps is how many steps a regular expression has, about, or a number above
// most.
func steps(tree *syntax.Regexp, most int) int {
	n := 1 + len(tree.Rune)
	for _, part := range tree.Sub {
		if n += steps(part, most); n > most {
			return most + 1
		}
	}
	if tree.Op == syntax.OpRepeat {
		n *= max(tree.Min, tree.Max, 1) // at most 1000, so there is no overflow
	}
	return min(n, most+1)
}
