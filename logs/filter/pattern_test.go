package filter

import (
	"errors"
	"strings"
	"testing"
)

// A filter of a few characters must not become a program of gigabytes, nor one
// that an entry takes minutes to go through.
func TestARegularExpressionIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one that repeats what repeats": `text=~"((abcdefgh.){30}){30}"`,
		"one that is long":              `text=~"` + strings.Repeat(".{1000}", 6) + `"`,
		"many":                          strings.Repeat(`text=~".{900}" OR `, 6) + `text=~"x"`,
		"a negated one":                 `text!~"(a|b.{30}){30}" AND text!~"(a|b.{30}){30}" AND text!~"\\pL{9}"`,
	} {
		if _, err := Parse(text, testSchema()); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "repeat too much") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{
		`text=~"^Disk .{1,200}FULL"`,
		`text=~"` + strings.Repeat("word|", 300) + `sda"`,
		`text=~"(?i)disk" AND text!~"[a-z]{3}[0-9]{500}"`,
	} {
		f, err := Parse(text, testSchema())
		if err != nil || !f.Match(testRecord()) {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}
