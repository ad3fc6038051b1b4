package main

import (
	"strings"
	"testing"
)

func TestIDsInShort(t *testing.T) {
	t.Parallel()
	for all, want := range map[string]string{
		"":                              "",
		"A-1":                           "A 1",
		"A-1 A-2":                       "A 1, 2",
		"A-1 A-2 A-3":                   "A 1–3",
		"A-9 A-10 A-11 A-13 B-14 B-15":  "A 9–11, 13; B 14, 15",
		"A-1 A-2 A-3 B-4 A-4 A-5 A-6":   "A 1–3; B 4; A 4–6",
		"E-500a E-500b E-501 E-502":     "E 500a, 500b, 501, 502",
		"E-499 E-500 E-501 E-502a":      "E 499–501, 502a",
		"A-3 A-2 A-1":                   "A 3, 2, 1",
		"AB-1 A-2 A-3 ABC-4 ABC-5 AB-6": "AB 1; A 2, 3; ABC 4, 5; AB 6",
	} {
		if got := ids(strings.Fields(all)); got != want {
			t.Errorf("%s: %q, want %q", all, got, want)
		}
	}
}
