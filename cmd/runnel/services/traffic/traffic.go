// Package traffic computes where a service's requests are to go: shares in
// percent, and tags. It is pure.
package traffic

import (
	"maps"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/shares"
)

// Key is what t leads to: a revision's name, or shares.Latest.
func Key(t *runpb.TrafficTarget) string {
	if t.GetType() == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION || t.GetRevision() != "" {
		return t.GetRevision()
	}
	return shares.Latest
}

// target leads to what key says.
func target(key string, percent int32, tag string) *runpb.TrafficTarget {
	t := &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, Percent: percent, Tag: tag}
	if key != shares.Latest {
		t.Type, t.Revision = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, key
	}
	return t
}

// split takes targets apart into shares, one for each key, and tags, each of
// which becomes a target of its own. No targets at all mean that the latest
// revision has everything.
func split(targets []*runpb.TrafficTarget) (all map[string]int32, tags []*runpb.TrafficTarget) {
	if len(targets) == 0 {
		return map[string]int32{shares.Latest: shares.Whole}, nil
	}
	all = map[string]int32{}
	for _, t := range targets {
		if t.GetPercent() > 0 {
			all[Key(t)] += t.GetPercent()
		}
		if t.GetTag() != "" {
			tags = append(tags, target(Key(t), 0, t.GetTag()))
		}
	}
	return all, tags
}

// join is split the other way round. The latest revision comes last.
func join(all map[string]int32, tags []*runpb.TrafficTarget) (targets []*runpb.TrafficTarget) {
	for _, key := range shares.Keys(all) {
		if all[key] > 0 {
			targets = append(targets, target(key, all[key], ""))
		}
	}
	return append(targets, tags...)
}

// SetPercents gives the revisions named by percents, each 0 to 100, their shares
// of the traffic; what is left is shared by the others in proportion to what
// they had. The sum stays 100, or the error is that of shares.Set. targets stay
// as they are.
func SetPercents(targets []*runpb.TrafficTarget, percents map[string]int32) ([]*runpb.TrafficTarget, error) {
	all, tags := split(targets)
	all, err := shares.Set(all, percents)
	if err != nil {
		return nil, err
	}
	return join(all, tags), nil
}

// PinLatest gives the traffic of the latest revision to the one that it is now,
// so that the next one gets none.
func PinLatest(targets []*runpb.TrafficTarget, latest string) []*runpb.TrafficTarget {
	all, tags := split(targets)
	return join(shares.Pin(all, latest), tags)
}

// SetTags points tags at revisions or shares.Latest; remove takes tags away, clear all
// that set does not name. Shares stay.
func SetTags(targets []*runpb.TrafficTarget, set map[string]string, remove []string, clear bool) []*runpb.TrafficTarget {
	all, tags := split(targets)
	tags = slices.DeleteFunc(tags, func(t *runpb.TrafficTarget) bool {
		_, replaced := set[t.GetTag()]
		return clear || replaced || slices.Contains(remove, t.GetTag())
	})
	for _, tag := range slices.Sorted(maps.Keys(set)) {
		tags = append(tags, target(set[tag], 0, tag))
	}
	return join(all, tags)
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
