package format

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sort orders rows by the keys of --sort-by, separated by commas; ~ before a
// key turns its order around. Rows without a value come last.
func Sort(rows []Row, by string) error {
	type order struct {
		key     key
		reverse bool
	}
	var orders []order
	for _, text := range split(by, ',') {
		name, reverse := strings.CutPrefix(strings.TrimSpace(text), "~")
		k, err := parseKey(name)
		if err != nil {
			return fmt.Errorf("--sort-by: %w", err)
		}
		orders = append(orders, order{k, reverse})
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		for _, o := range orders {
			x, y := o.key.of(a), o.key.of(b)
			if x == nil || y == nil {
				if c := cmp.Compare(bit(x == nil), bit(y == nil)); c != 0 {
					return c
				}
				continue
			}
			c := compare(text(x), text(y))
			if o.reverse {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return nil
}

// bit is 1 for true.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare compares numbers as numbers and all else as text.
func compare(a, b string) int {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// isNumber reports whether s is a number.
func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
