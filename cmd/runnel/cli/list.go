package cli

import "strings"

// splitList reads the value of a flag that takes a list, as gcloud does:
// separated by commas, or by what stands between two carets at the beginning.
// An empty value is an empty list.
func splitList(s string) []string {
	if s == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(s, "^"); ok {
		if separator, list, ok := strings.Cut(rest, "^"); ok && separator != "" {
			return strings.Split(list, separator)
		}
	}
	return strings.Split(s, ",")
}

// JoinLists reads all values of a flag that was given several times.
func JoinLists(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, splitList(v)...)
	}
	return all
}

// Pair is one NAME=VALUE of a list.
type Pair struct{ Name, Value string }

// Pairs reads all values of a flag that takes NAME=VALUE,..., in their order. A
// UsageError names the flag.
func Pairs(flag string, values []string) ([]Pair, error) {
	var pairs []Pair
	for _, entry := range JoinLists(values) {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, Usagef("--%s %s: want NAME=VALUE", flag, entry)
		}
		pairs = append(pairs, Pair{name, value})
	}
	return pairs, nil
}
