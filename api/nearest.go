package api

import "strings"

// maxTypos is how many letters a misspelt name may be off.
const maxTypos = 3

// Nearest is the one of names that name was probably meant to be, whatever the
// case; "" if it has little in common with any. Of names equally near it is the
// first in the alphabet.
func Nearest(name string, names []string) string {
	best, least := "", min(maxTypos, max(2, len(name)/2))+1 // two letters swapped are two off
	for _, n := range names {
		d := distance(strings.ToLower(name), strings.ToLower(n))
		if d < least || d == least && best != "" && n < best {
			best, least = n, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace on the way from
// a to b. Texts longer than any name are not compared.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
