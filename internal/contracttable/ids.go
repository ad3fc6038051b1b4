package main

import (
	"strconv"
	"strings"
)

// ids are row ids in short: "IMG 1–3, 5; ENV 7". Neighbours share what stands
// before their numbers, and three or more in a row become a range.
func ids(all []string) string {
	var out strings.Builder
	before := ""
	for i := 0; i < len(all); {
		word, number, _ := strings.Cut(all[i], "-")
		switch {
		case i == 0:
			out.WriteString(word + " ")
		case word != before:
			out.WriteString("; " + word + " ")
		default:
			out.WriteString(", ")
		}
		before = word
		out.WriteString(number)
		if n := countUp(all[i:]); n >= 3 {
			_, last, _ := strings.Cut(all[i+n-1], "-")
			out.WriteString("–" + last)
			i += n
			continue
		}
		i++
	}
	return out.String()
}

// countUp is how many of the ids count up from the first one.
func countUp(all []string) int {
	word, number, _ := strings.Cut(all[0], "-")
	first, err := strconv.Atoi(number)
	if err != nil {
		return 1 // ERR-500a
	}
	n := 1
	for n < len(all) && all[n] == word+"-"+strconv.Itoa(first+n) {
		n++
	}
	return n
}
