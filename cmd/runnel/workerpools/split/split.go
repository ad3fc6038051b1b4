// Package split turns the instance splits of a worker pool into shares in percent
// and back. It is pure.
package split

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/verb"
)

// target is what an instance split, as it is wanted or as it is, is about.
type target interface {
	GetType() runpb.InstanceSplitAllocationType
	GetRevision() string
	GetPercent() int32
}

// Shares are the shares that splits give, by a revision's name or shares.Latest.
// No splits at all mean that the latest revision has everything.
func Shares(splits []*runpb.InstanceSplit) map[string]int32 {
	if len(splits) == 0 {
		return map[string]int32{shares.Latest: shares.Whole}
	}
	return collect(splits)
}

// Statuses are the shares that revisions have.
func Statuses(splits []*runpb.InstanceSplitStatus) map[string]int32 { return collect(splits) }

// collect adds up what splits give to each key.
func collect[S target](splits []S) map[string]int32 {
	all := map[string]int32{}
	for _, s := range splits {
		all[key(s)] += s.GetPercent()
	}
	return all
}

// key is what s gives to. What the latest revision is now is no part of it.
func key(s target) string {
	switch s.GetType() {
	case runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST:
		return shares.Latest
	case runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION:
		return verb.Short(s.GetRevision())
	}
	if s.GetRevision() == "" {
		return shares.Latest
	}
	return verb.Short(s.GetRevision())
}

// Splits is Shares the other way round: in order, the latest revision last, and
// without those that have nothing.
func Splits(of map[string]int32) (splits []*runpb.InstanceSplit) {
	for _, key := range shares.Keys(of) {
		if of[key] <= 0 {
			continue
		}
		s := &runpb.InstanceSplit{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST, Percent: of[key]}
		if key != shares.Latest {
			s.Type, s.Revision = runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, key
		}
		splits = append(splits, s)
	}
	return splits
}

// Percent is the share that a revision has, by its name and as the latest one.
func Percent(pool *runpb.WorkerPool, revision string) int32 {
	all := Statuses(pool.GetInstanceSplitStatuses())
	percent := all[revision]
	if verb.Short(pool.GetLatestReadyRevision()) == revision {
		percent += all[shares.Latest]
	}
	return percent
}
