package logs

import (
	"context"
	"slices"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
	"runnel/logs/servicelog"
	"runnel/scheduler"
	"runnel/scheduler/serving"
)

// standing finds out what is known of whom logs are of. An instance that is
// created meanwhile has no log that was measured.
func (l *Logs) standing(ctx context.Context) (s standing, err error) {
	s = standing{
		running: make(map[string]bool), ended: make(map[string]bool),
		live: make(map[string]bool), past: make(map[string]bool), own: make(map[string]bool),
	}
	if err := l.unfinished(ctx, s); err != nil {
		return s, err
	}
	return s, l.serving(ctx, s)
}

// unfinished adds the executions that run, and their instances that have ended.
func (l *Logs) unfinished(ctx context.Context, s standing) error {
	going := func(x *runpb.Execution) bool { return x.GetCompletionTime() == nil }
	runs, err := l.runsBelow(ctx, "projects/-/locations/-/jobs/-", going)
	if err != nil {
		return err
	}
	for _, r := range runs {
		list, err := l.control.Instances(ctx, r.name)
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		s.running[execution(scheduler.InstanceID(list.Execution, 0, 0))] = true
		for _, t := range list.Tasks {
			for _, id := range over(t) {
				s.ended[id] = true
			}
		}
	}
	return nil
}

// over are the instances of a task that have ended.
func over(t control.TaskInstances) []string {
	if t.Record.State == scheduler.Running && len(t.IDs) > 0 {
		return t.IDs[:len(t.IDs)-1]
	}
	return t.IDs
}

// ofGone tells the logs of services and worker pools that are gone from all
// others.
func (l *Logs) ofGone(ctx context.Context, sizes []size) (rest, gone []size, err error) {
	of := func(x size) bool {
		_, ok := servicelog.Owner(x.instance)
		return ok
	}
	if !slices.ContainsFunc(sizes, of) {
		return sizes, nil, nil
	}
	// A log that was measured is of one that was there.
	all, err := l.owners(ctx)
	if err != nil {
		return nil, nil, err
	}
	known := make(map[string]bool, len(all))
	for _, s := range all {
		known[s.GetName()] = true
	}
	for _, x := range sizes {
		if owner, ok := servicelog.Owner(x.instance); ok && !known[owner] {
			gone = append(gone, x)
		} else {
			rest = append(rest, x)
		}
	}
	return rest, gone, nil
}

// serving adds the services and worker pools, and their instances.
func (l *Logs) serving(ctx context.Context, s standing) error {
	all, err := l.owners(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		for _, kind := range servicelog.Kinds(x.GetName()) {
			s.own[servicelog.ID(x.GetName(), kind)] = true
		}
		list, err := l.services.ServiceInstances(ctx, x.GetName())
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		for _, i := range list {
			of := s.past
			if i.Live {
				of = s.live
			}
			for n := range i.Containers {
				of[serving.ContainerID(i.ID, n)] = true
			}
		}
	}
	return nil
}
