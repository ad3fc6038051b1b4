package ingress

import (
	"math/rand/v2"
	"net"
	"slices"
	"strings"
)

// table finds the route of a host. It is not changed once it is made.
type table struct {
	// routes are in the order in which their services came.
	routes []*Route
	// exact are entries by their host; below those of "*.x", by x.
	exact, below map[string]*entry
}

// entry is what a host stands for.
type entry struct {
	route *Route
	// splits share the requests. Their percents sum to 100, or there is none.
	splits []Split
	// affine says that one of them has clients stay on their instance.
	affine bool
}

// newTable makes the table of routes. A host that two of them claim stays with
// the one that came first.
func newTable(routes []*Route) *table {
	t := &table{routes: routes, exact: map[string]*entry{}, below: map[string]*entry{}}
	for _, r := range routes {
		t.add(r, r.Hosts, r.Splits)
		for _, tag := range r.Tags {
			t.add(r, tag.Hosts, []Split{{Target: tag.Target, Percent: 100}})
		}
	}
	return t
}

func (t *table) add(r *Route, hosts []string, splits []Split) {
	e := &entry{route: r, splits: splits}
	e.affine = slices.ContainsFunc(splits, func(s Split) bool { return s.Target.Affinity })
	for _, h := range hosts {
		in, name := t.exact, h
		if suffix, ok := strings.CutPrefix(h, "*."); ok {
			in, name = t.below, suffix
		}
		if in[name] == nil {
			in[name] = e
		}
	}
}

// with is a table in which r is in force, in place of the route of its name.
func (t *table) with(r *Route) *table {
	routes := slices.Clone(t.routes)
	if i := slices.IndexFunc(routes, func(o *Route) bool { return o.Name == r.Name }); i >= 0 {
		routes[i] = r
	} else {
		routes = append(routes, r)
	}
	return newTable(routes)
}

// without is a table without the route of a name.
func (t *table) without(name string) *table {
	return newTable(slices.DeleteFunc(slices.Clone(t.routes), func(o *Route) bool { return o.Name == name }))
}

// find is the entry of a host, as hostOf has it: its own, or that of the
// longest name that it is below; nil if there is none.
func (t *table) find(host string) *entry {
	if e := t.exact[host]; e != nil || len(t.below) == 0 {
		return e
	}
	for {
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return nil
		}
		if e := t.below[rest]; e != nil {
			return e
		}
		host = rest
	}
}

// pick draws a target by the shares; nil if there is none.
func (e *entry) pick() *Target {
	switch len(e.splits) {
	case 0:
		return nil
	case 1:
		return e.splits[0].Target
	}
	n := rand.IntN(100)
	for _, s := range e.splits {
		if n -= s.Percent; n < 0 {
			return s.Target
		}
	}
	return e.splits[len(e.splits)-1].Target
}

// holds finds the target that has the instance of an affinity cookie, and its
// public ID; nil if none has, or there is no cookie.
func (e *entry) holds(key string) (*Target, string) {
	if key == "" {
		return nil, ""
	}
	for _, s := range e.splits {
		if !s.Target.Affinity {
			continue
		}
		if id, ok := s.Target.Pool.holder(key); ok {
			return s.Target, id
		}
	}
	return nil, ""
}

// hostOf is the name in a Host header: in lower case, without a port and the dot
// at the end.
func hostOf(s string) string {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if host, _, err := net.SplitHostPort(s); err == nil {
			s = host
		}
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}
