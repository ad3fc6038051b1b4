// Package traffic computes where a service's requests are to go: shares in
// percent, and tags. A share that is set takes from the others, or gives to
// them, in proportion to what they have. It is pure.
package traffic

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
)

// Latest stands for the latest revision that is ready, in place of a revision's
// name, which is never upper case.
const Latest = "LATEST"

// whole is all of the traffic, in percent.
const whole = 100

var (
	// ErrOver is more than all of the traffic.
	ErrOver = errors.New("over 100% of traffic is specified")
	// ErrUnder is less than all of it where nothing else could take the rest.
	ErrUnder = errors.New("every revision with traffic is named, but they do not add up to 100%")
)

// Key is what t leads to: a revision's name, or Latest.
func Key(t *runpb.TrafficTarget) string {
	if t.GetType() == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION || t.GetRevision() != "" {
		return t.GetRevision()
	}
	return Latest
}

// target leads to what key says.
func target(key string, percent int32, tag string) *runpb.TrafficTarget {
	t := &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, Percent: percent, Tag: tag}
	if key != Latest {
		t.Type, t.Revision = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, key
	}
	return t
}

// split takes targets apart into shares, one for each key, and tags, each of
// which becomes a target of its own. No targets at all mean that the latest
// revision has everything.
func split(targets []*runpb.TrafficTarget) (shares map[string]int32, tags []*runpb.TrafficTarget) {
	if len(targets) == 0 {
		return map[string]int32{Latest: whole}, nil
	}
	shares = map[string]int32{}
	for _, t := range targets {
		if t.GetPercent() > 0 {
			shares[Key(t)] += t.GetPercent()
		}
		if t.GetTag() != "" {
			tags = append(tags, target(Key(t), 0, t.GetTag()))
		}
	}
	return shares, tags
}

// join is split the other way round. The latest revision comes last.
func join(shares map[string]int32, tags []*runpb.TrafficTarget) (targets []*runpb.TrafficTarget) {
	for _, key := range slices.SortedFunc(maps.Keys(shares), CompareKeys) {
		if shares[key] > 0 {
			targets = append(targets, target(key, shares[key], ""))
		}
	}
	return append(targets, tags...)
}

// CompareKeys orders keys by name, the latest revision last.
func CompareKeys(a, b string) int {
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

// SetPercents gives the revisions named by percents, each 0 to 100, their shares
// of the traffic; what is left is shared by the others in proportion to what
// they had. The sum stays 100, or the error is ErrOver or ErrUnder. targets
// stay as they are.
func SetPercents(targets []*runpb.TrafficTarget, percents map[string]int32) ([]*runpb.TrafficTarget, error) {
	shares, tags := split(targets)
	rest := int32(whole)
	for key, percent := range percents {
		rest -= percent
		delete(shares, key)
	}
	switch {
	case rest < 0:
		return nil, ErrOver
	case rest > 0 && len(shares) == 0:
		return nil, ErrUnder
	}
	shares = rescale(shares, rest)
	maps.Copy(shares, percents)
	return join(shares, tags), nil
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
			CompareKeys(a, b),
		)
	})
	for _, key := range keys[:left] {
		scaled[key]++
	}
	return scaled
}

// PinLatest gives the traffic of Latest to the revision that it is now, so that
// the next one gets none.
func PinLatest(targets []*runpb.TrafficTarget, latest string) []*runpb.TrafficTarget {
	shares, tags := split(targets)
	if share := shares[Latest]; share > 0 {
		delete(shares, Latest)
		shares[latest] += share
	}
	return join(shares, tags)
}

// SetTags points tags at revisions or Latest; remove takes tags away, clear all
// that set does not name. Shares stay.
func SetTags(targets []*runpb.TrafficTarget, set map[string]string, remove []string, clear bool) []*runpb.TrafficTarget {
	shares, tags := split(targets)
	tags = slices.DeleteFunc(tags, func(t *runpb.TrafficTarget) bool {
		_, replaced := set[t.GetTag()]
		return clear || replaced || slices.Contains(remove, t.GetTag())
	})
	for _, tag := range slices.Sorted(maps.Keys(set)) {
		tags = append(tags, target(set[tag], 0, tag))
	}
	return join(shares, tags)
}

// Tagged is what a tag leads to.
func Tagged(targets []*runpb.TrafficTarget, tag string) (key string, ok bool) {
	for _, t := range targets {
		if tag != "" && t.GetTag() == tag {
			return Key(t), true
		}
	}
	return "", false
}
