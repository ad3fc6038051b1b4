// Package shares computes which revisions have which part of something, in
// percent: of a service's requests, or of a worker pool's instances. A share
// that is set takes from the others, or gives to them, in proportion to what
// they have. It is pure.
package shares

import (
	"cmp"
	"errors"
	"maps"
	"slices"
)

// Latest stands for the latest revision that is ready, in place of a revision's
// name, which is never upper case.
const Latest = "LATEST"

// Whole is all there is to share, in percent.
const Whole = 100

var (
	// ErrOver is more than there is.
	ErrOver = errors.New("more than 100% is given away")
	// ErrUnder is less than all of it where nothing else could take the rest.
	ErrUnder = errors.New("every revision with a share is named, but they do not add up to 100%")
)

// Keys are the keys of shares in order.
func Keys(shares map[string]int32) []string {
	return slices.SortedFunc(maps.Keys(shares), Compare)
}

// Compare orders keys by name, the latest revision last.
func Compare(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == Latest:
		return 1
	case b == Latest:
		return -1
	}
	return cmp.Compare(a, b)
}

// Set gives the revisions named by percents, each 0 to 100, their shares; what
// is left is shared by the others in proportion to what they had. The sum stays
// 100, or the error is ErrOver or ErrUnder. shares stay as they are.
func Set(shares, percents map[string]int32) (map[string]int32, error) {
	shares = maps.Clone(shares)
	rest := int32(Whole)
	for key, percent := range percents {
		rest -= percent
		delete(shares, key)
	}
	// What has nothing takes nothing of the rest, and there is no proportion of it.
	maps.DeleteFunc(shares, func(_ string, share int32) bool { return share == 0 })
	switch {
	case rest < 0:
		return nil, ErrOver
	case rest > 0 && len(shares) == 0:
		return nil, ErrUnder
	}
	shares = rescale(shares, rest)
	maps.Copy(shares, percents)
	return shares, nil
}

// rescale makes shares add up to sum, in proportion. What rounding takes away
// goes to those that it takes the most from; of equals, the smaller come first.
func rescale(shares map[string]int32, sum int32) map[string]int32 {
	var total int32
	for _, share := range shares {
		total += share
	}
	scaled := make(map[string]int32, len(shares))
	left := sum
	for key, share := range shares {
		scaled[key] = share * sum / total
		left -= scaled[key]
	}
	keys := slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(
			cmp.Compare(shares[b]*sum%total, shares[a]*sum%total),
			cmp.Compare(shares[a], shares[b]),
			Compare(a, b),
		)
	})
	for _, key := range keys[:left] {
		scaled[key]++
	}
	return scaled
}

// Pin gives the share of Latest to the revision that it is now, so that the next
// one gets none. shares stay as they are.
func Pin(shares map[string]int32, latest string) map[string]int32 {
	shares = maps.Clone(shares)
	if share := shares[Latest]; share > 0 {
		delete(shares, Latest)
		shares[latest] += share
	}
	return shares
}
