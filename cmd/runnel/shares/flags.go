package shares

import (
	"fmt"
	"strconv"
	"strings"

	"runnel/cmd/runnel/cli"
)

// Parse reads the values of a flag such as --to-revisions, REVISION=PERCENT,...:
// each name once, each share 0 to 100, and at most 100 in all.
func Parse(flag string, values []string) (map[string]int32, error) {
	pairs, err := cli.Pairs(flag, values)
	if err != nil {
		return nil, cli.Usagef("--%s %s: want %s=PERCENT,...", flag, strings.Join(values, ","), strings.ToUpper(strings.TrimSuffix(strings.TrimPrefix(flag, "to-"), "s")))
	}
	shares := map[string]int32{}
	sum := int64(0)
	for _, p := range pairs {
		n, err := strconv.ParseInt(strings.TrimSuffix(p.Value, "%"), 10, 32)
		if err != nil || n < 0 || n > Whole {
			return nil, cli.Usagef("--%s %s=%s: want a whole number of percent, 0 to 100", flag, p.Name, p.Value)
		}
		if _, twice := shares[p.Name]; twice {
			return nil, cli.Usagef("--%s %s=%s: %[2]s is there twice", flag, p.Name, p.Value)
		}
		shares[p.Name] = int32(n)
		sum += n
	}
	if sum > Whole {
		return nil, cli.Usagef("--%s %s: adds up to %d%%: want at most 100", flag, strings.Join(values, ","), sum)
	}
	return shares, nil
}

// None is what stands where there is no share.
const None = "-"

// Display is a share as people read it: what is wanted, and what is so if that
// differs. Both are numbers of percent, or None.
func Display(wanted, is string) string {
	if wanted == is {
		return percent(is)
	}
	return fmt.Sprintf("%-4s (currently %s)", percent(wanted), percent(is))
}

// percent is a share as people write it.
func percent(share string) string {
	if share == None {
		return share
	}
	return share + "%"
}

// DisplayKey is what has a share as people read it; latest is the revision that
// Latest is now, "" while none has been ready.
func DisplayKey(key, latest string) string {
	if key != Latest || latest == "" {
		return key
	}
	return fmt.Sprintf("%s (currently %s)", key, latest)
}
