package main

import "fmt"

// didYouMean is the end of a message about an unknown name: what was probably
// meant, or where to look.
func didYouMean(command, prefix, name string) string {
	if name == "" {
		return fmt.Sprintf("; see %s --help", command)
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, name)
}

// nearest is the one of names that name was probably meant to be, or "".
func nearest(name string, names []string) string {
	best, least := "", max(3, len(name)/2+1) // two letters swapped are two apart
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace on the way from
// a to b.
func distance(a, b string) int {
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
