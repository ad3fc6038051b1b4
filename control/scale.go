package control

import (
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/scheduler/serving"
)

// share is what of a service's requests goes to one revision.
type share struct {
	percent int
	// tagged revisions are reached by a name of their own.
	tagged bool
}

// shares are the shares of the revisions that have one, by short name, and
// their names in order.
func shares(routes []route) (all map[string]share, order []string) {
	all = make(map[string]share)
	for _, r := range routes {
		if r.Percent == 0 && r.Tag == "" {
			continue
		}
		s, known := all[r.Revision]
		if !known {
			order = append(order, r.Revision)
		}
		all[r.Revision] = share{s.percent + r.Percent, s.tagged || r.Tag != ""}
	}
	return all, order
}

// scale is how many instances one revision of a service may have where requests
// are shared so. A revision that nobody can reach goes to zero.
func scale(s *runpb.Service, r *runpb.Revision, routes []route) serving.Scale {
	id := split(r.GetName()).id()
	if isPool(r.GetName()) {
		return poolScale(s, id, routes)
	}
	own := serving.Scale{Max: contract.DefaultMaxInstances, Manual: -1}
	if n := r.GetScaling().GetMaxInstanceCount(); n > 0 {
		own.Max = int(n)
	}
	if disabled(s) {
		return serving.Scale{Manual: -1}
	}
	all, order := shares(routes)
	mine, reached := all[id]
	if !reached {
		return own
	}
	if s.GetScaling().GetScalingMode() == runpb.ServiceScaling_MANUAL {
		if mine.percent > 0 {
			own.Manual = portion(int(s.GetScaling().GetManualInstanceCount()), all, order, id)
			own.Max = max(own.Max, own.Manual)
		}
		return own
	}
	own.Min = int(r.GetScaling().GetMinInstanceCount())
	if mine.percent > 0 {
		own.Min = max(own.Min, portion(int(s.GetScaling().GetMinInstanceCount()), all, order, id))
		if most := int(s.GetScaling().GetMaxInstanceCount()); most > 0 {
			own.Max = min(own.Max, max(1, portion(most, all, order, id)))
		}
	}
	own.Min = min(own.Min, own.Max)
	return own
}

// poolScale is how many instances one revision of a worker pool has: its part of
// all, exactly.
func poolScale(s *runpb.Service, id string, routes []route) serving.Scale {
	all, order := shares(routes)
	n := 0
	if _, reached := all[id]; reached {
		n = portion(int(s.GetScaling().GetManualInstanceCount()), all, order, id)
	}
	return serving.Scale{Manual: n, Max: n}
}

// disabled reports whether a service is switched off: its number of instances
// has been set to none.
func disabled(s *runpb.Service) bool {
	return s.GetScaling().GetScalingMode() == runpb.ServiceScaling_MANUAL && s.GetScaling().GetManualInstanceCount() == 0
}

// portion is a revision's part of total, which is shared by percent. Parts are
// whole and sum to total: what rounding leaves goes to those that lose most by
// it, the first ones among equals.
func portion(total int, all map[string]share, order []string, id string) int {
	left, before := total, 0
	mine := total * all[id].percent
	own := false
	for _, other := range order {
		part := total * all[other].percent
		left -= part / 100
		own = own || other == id
		if other != id && (part%100 > mine%100 || part%100 == mine%100 && !own) {
			before++
		}
	}
	if before < left && mine%100 > 0 {
		return mine/100 + 1
	}
	return mine / 100
}

// wantsInstances reports whether a scale asks for instances whether or not there are
// requests.
func wantsInstances(s serving.Scale) bool { return s.Manual > 0 || s.Manual < 0 && s.Min > 0 }

// least is how many instances a scale asks for at least.
func least(s serving.Scale) int32 {
	if s.Manual >= 0 {
		return int32(s.Manual)
	}
	return int32(s.Min)
}
