package contract

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationUnits are the units of a duration, longest first: the order in which
// they must appear.
const durationUnits = "dhms"

// ParseDuration reads a duration as Cloud Run's tools write them: whole
// seconds ("600"), or amounts with the units d, h, m and s, longest first
// ("10m5s", "2h", "600s"). It checks the syntax only.
// Source: "Set task timeout"; gcloud run jobs, --task-timeout.
func ParseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseUint(s, 10, 63); err == nil {
		return scale(s, n, time.Second)
	}
	units, rest, total := durationUnits, s, time.Duration(0)
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseUint(rest[:digits], 10, 63)
		if err != nil || digits == len(rest) {
			return 0, notADuration(s)
		}
		unit := strings.IndexByte(units, rest[digits])
		if unit < 0 {
			return 0, notADuration(s)
		}
		d, err := scale(s, n, unitSize(units[unit]))
		if err != nil {
			return 0, err
		}
		if total += d; total < 0 {
			return 0, tooLong(s)
		}
		units, rest = units[unit+1:], rest[digits+1:]
	}
	if s == "" {
		return 0, notADuration(s)
	}
	return total, nil
}

func unitSize(unit byte) time.Duration {
	switch unit {
	case 'd':
		return 24 * time.Hour
	case 'h':
		return time.Hour
	case 'm':
		return time.Minute
	}
	return time.Second
}

// scale is n units, unless that is more than a time.Duration holds.
func scale(s string, n uint64, unit time.Duration) (time.Duration, error) {
	if n > uint64(math.MaxInt64/unit) {
		return 0, tooLong(s)
	}
	return time.Duration(n) * unit, nil
}

func notADuration(s string) error {
	return fmt.Errorf("%q is not a duration: want seconds such as 600, or a form such as 10m5s or 2h", s)
}

func tooLong(s string) error {
	return fmt.Errorf("%q is not a duration: it is longer than two centuries", s)
}
