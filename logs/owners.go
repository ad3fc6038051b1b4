package logs

import (
	"context"
	"path"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/control"
	"runnel/logs/servicelog"
)

// owner is a service or a worker pool.
type owner interface {
	GetName() string
	GetCreateTime() *timestamppb.Timestamp
}

// ownedBy are the logs of a service, a worker pool or a revision.
func (l *Logs) ownedBy(ctx context.Context, name string) (*served, error) {
	name, revision, one := strings.Cut(name, "/revisions/")
	of, err := l.owner(ctx, name)
	if err != nil {
		return nil, err
	}
	if one {
		if _, err := l.services.Revision(ctx, of.GetName()+"/revisions/"+revision); err != nil {
			return nil, err
		}
	}
	return newServed(of, revision), nil
}

// owner is the service or worker pool of that full name.
func (l *Logs) owner(ctx context.Context, name string) (owner, error) {
	if servicelog.IsWorkerPool(name) {
		return l.pools.WorkerPool(ctx, name)
	}
	return l.services.Service(ctx, name)
}

// servicesIn and poolsIn are those of a location, which may be "-", if they match.
func (l *Logs) servicesIn(ctx context.Context, location string, match func(owner) bool) ([]owner, error) {
	return allIn(ctx, location, match, l.services.Services)
}

func (l *Logs) poolsIn(ctx context.Context, location string, match func(owner) bool) ([]owner, error) {
	return allIn(ctx, location, match, l.pools.WorkerPools)
}

// allIn are the resources of a location that match, page by page.
func allIn[R owner](ctx context.Context, location string, match func(owner) bool,
	list func(context.Context, control.Query[R]) ([]R, string, error),
) (all []owner, err error) {
	q := control.Query[R]{Parent: location, PageSize: 1000}
	if match != nil {
		q.Match = func(r R) bool { return match(r) }
	}
	for {
		some, next, err := list(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			all = append(all, r)
		}
		if q.PageToken = next; next == "" {
			return all, nil
		}
	}
}

// owners are all services and worker pools.
func (l *Logs) owners(ctx context.Context) (all []owner, err error) {
	const everywhere = "projects/-/locations/-"
	if all, err = l.servicesIn(ctx, everywhere, nil); err != nil {
		return nil, err
	}
	pools, err := l.poolsIn(ctx, everywhere, nil)
	return append(all, pools...), err
}

// ownerKind is a kind of owners: the type of resource that entries about them have,
// the labels with their name, and how to list them.
type ownerKind struct {
	resource string
	names    []string
	list     func(ctx context.Context, location string, match func(owner) bool) ([]owner, error)
}

// kinds are the kinds of owners.
func (l *Logs) kinds() []ownerKind {
	return []ownerKind{
		{serviceType, []string{"service_name", "configuration_name"}, l.servicesIn},
		{poolType, []string{labelPool}, l.poolsIn},
	}
}

// wantedOf are those of wanted below a location that are of a kind of owners.
func wantedOf(ctx context.Context, r *listRequest, location string, k ownerKind) (groups []group, err error) {
	if _, ok := r.filter.Equal("labels", labelExecution); ok {
		return nil, nil
	}
	_, until := r.filter.Bounds("timestamp")
	all, err := k.list(ctx, location, func(s owner) bool {
		for _, label := range k.names {
			if id, ok := r.filter.Equal("resource", "labels", label); ok && !strings.EqualFold(path.Base(s.GetName()), id) {
				return false
			}
		}
		return until.IsZero() || !s.GetCreateTime().AsTime().After(until.Add(offClock))
	})
	for _, s := range all {
		groups = append(groups, newServed(s, ""))
	}
	return groups, err
}
