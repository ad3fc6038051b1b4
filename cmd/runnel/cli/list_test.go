package cli

import (
	"slices"
	"testing"
)

func TestSplitList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":           nil,
		"a":          {"a"},
		"a,b,":       {"a", "b", ""},
		"^:^a,b:c":   {"a,b", "c"},
		"^--^a--b-c": {"a", "b-c"},
		"^":          {"^"},
		"^^a,b":      {"^^a", "b"},
	} {
		if got := splitList(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	got, err := Pairs("labels", []string{"a=1,b=x=y", "c="})
	if want := []Pair{{"a", "1"}, {"b", "x=y"}, {"c", ""}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"a", "=1", ","} {
		if _, err := Pairs("labels", []string{bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
