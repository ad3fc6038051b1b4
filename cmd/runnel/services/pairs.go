package services

import (
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/services/traffic"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/verb"
)

// pair is what is wanted of the traffic to a revision, beside what is so: the
// result of update-traffic, with gcloud's names.
type pair struct {
	DisplayPercent    string   `json:"displayPercent"`
	DisplayRevisionID string   `json:"displayRevisionId"`
	Key               string   `json:"key"`
	LatestRevision    bool     `json:"latestRevision"`
	RevisionName      string   `json:"revisionName"`
	ServiceURL        string   `json:"serviceUrl"`
	SpecPercent       string   `json:"specPercent"`
	StatusPercent     string   `json:"statusPercent"`
	SpecTags          string   `json:"specTags"`
	StatusTags        string   `json:"statusTags"`
	Tags              []tagged `json:"tags"`
	URLs              []string `json:"urls"`
}

// tagged is a tag that leads to a revision.
type tagged struct {
	Tag      string `json:"tag"`
	URL      string `json:"url"`
	InSpec   bool   `json:"inSpec"`
	InStatus bool   `json:"inStatus"`
}

// pairsOf are the pairs of a service, by name, the latest revision last.
func pairsOf(service *runpb.Service) (pairs []pair) {
	wanted := service.GetTraffic()
	if len(wanted) == 0 {
		wanted = []*runpb.TrafficTarget{{Percent: 100}}
	}
	var keys []string
	parts := map[string][2]int32{}
	collect := func(side int, t *runpb.TrafficTarget) {
		key := traffic.Key(t)
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		part := parts[key]
		part[side] += t.GetPercent()
		parts[key] = part
	}
	for _, t := range wanted {
		collect(0, t)
	}
	is := statusTargets(service)
	for _, t := range is {
		collect(1, t.TrafficTarget)
	}
	slices.SortFunc(keys, shares.Compare)
	for _, key := range keys {
		p := pair{Key: key, LatestRevision: key == shares.Latest, RevisionName: key, ServiceURL: service.GetUri(), URLs: []string{}}
		if p.LatestRevision {
			p.RevisionName = verb.Short(service.GetLatestReadyRevision())
		}
		p.DisplayRevisionID = shares.DisplayKey(key, p.RevisionName)
		p.setPercents(parts[key][0], parts[key][1], hasKey(wanted, key))
		p.setTags(wanted, is)
		pairs = append(pairs, p)
	}
	return pairs
}

// statusTarget is a target as it is, with its URL.
type statusTarget struct {
	*runpb.TrafficTarget
	uri string
}

// statusTargets are where requests go. What the latest revision gets by its name
// only because it is the latest counts as the latest's.
func statusTargets(service *runpb.Service) (targets []statusTarget) {
	for _, t := range service.GetTrafficStatuses() {
		target := &runpb.TrafficTarget{Type: t.GetType(), Revision: verb.Short(t.GetRevision()), Percent: t.GetPercent(), Tag: t.GetTag()}
		if t.GetType() == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST {
			target.Revision = "" // what it is now is no part of the key
		}
		targets = append(targets, statusTarget{target, t.GetUri()})
	}
	return targets
}

// hasKey reports whether one of the targets leads to key.
func hasKey(targets []*runpb.TrafficTarget, key string) bool {
	return slices.ContainsFunc(targets, func(t *runpb.TrafficTarget) bool { return traffic.Key(t) == key })
}

// setPercents sets what is wanted and what is.
func (p *pair) setPercents(wanted, is int32, named bool) {
	p.SpecPercent, p.StatusPercent = shares.None, fmt.Sprint(is)
	if named {
		p.SpecPercent = fmt.Sprint(wanted)
	}
	p.DisplayPercent = shares.Display(p.SpecPercent, p.StatusPercent)
}

// setTags sets the tags that lead to the revision, or are to.
func (p *pair) setTags(wanted []*runpb.TrafficTarget, is []statusTarget) {
	p.Tags = []tagged{}
	find := func(tag string) *tagged {
		i := slices.IndexFunc(p.Tags, func(t tagged) bool { return t.Tag == tag })
		if i < 0 {
			p.Tags = append(p.Tags, tagged{Tag: tag})
			i = len(p.Tags) - 1
		}
		return &p.Tags[i]
	}
	for _, t := range wanted {
		if t.GetTag() != "" && traffic.Key(t) == p.Key {
			find(t.GetTag()).InSpec = true
		}
	}
	for _, t := range is {
		if t.GetTag() != "" && traffic.Key(t.TrafficTarget) == p.Key {
			found := find(t.GetTag())
			found.InStatus, found.URL = true, t.uri
			p.URLs = append(p.URLs, t.uri)
		}
	}
	slices.SortFunc(p.Tags, func(a, b tagged) int { return strings.Compare(a.Tag, b.Tag) })
	var spec, status []string
	for _, t := range p.Tags {
		if t.InSpec {
			spec = append(spec, t.Tag)
		}
		if t.InStatus {
			status = append(status, t.Tag)
		}
	}
	p.SpecTags, p.StatusTags = strings.Join(spec, ", "), strings.Join(status, ", ")
}
