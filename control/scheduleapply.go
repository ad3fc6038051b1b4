package control

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
	"runnel/store"
)

// CreateSchedule stores a new schedule. It is enabled, and due from now on,
// unless its state is PAUSED. The job that it runs need not exist.
func (c *Control) CreateSchedule(ctx context.Context, r *schedulerpb.CreateJobRequest) (*schedulerpb.Job, error) {
	parent, err := c.parse("parent", r.GetParent(), atLocation)
	if err != nil {
		return nil, err
	}
	if err := checkParent(parent); err != nil {
		return nil, err
	}
	n, err := c.newScheduleName(parent, r.GetJob().GetName())
	if err != nil {
		return nil, err
	}
	s := wantedSchedule(proto.CloneOf(r.GetJob()))
	s.Name, s.State = n.String(), schedulerpb.Job_ENABLED
	if r.GetJob().GetState() == schedulerpb.Job_PAUSED {
		s.State = schedulerpb.Job_PAUSED
	}
	if err := c.completeSchedule(s, createRequest); err != nil {
		return nil, err
	}
	created := now()
	s.UserUpdateTime = timestamppb.New(created)
	of := scheduleNote{UID: newUID(), Created: created, Handled: c.config.Now()}
	err = c.changeSchedule(ctx, n, func(tx *store.Tx) error {
		if getSchedule(tx, n.String()) != nil {
			return scheduleExists(n)
		}
		if c.fullOfSchedules(tx) {
			return status.Errorf(codes.ResourceExhausted, "There are %d schedules, which is the most this host has: delete some.", c.config.Schedules)
		}
		putSchedule(tx, s, of)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.projects.use(n.project(), c.ProjectNumber(n.project()))
	c.config.Logger.Info("schedule is created", "schedule", s.GetName(), "by", caller(ctx))
	return c.showSchedule(s, of), nil
}

// fullOfSchedules reports whether there are as many as may be.
func (c *Control) fullOfSchedules(tx *store.Tx) bool {
	count := 0
	for range tx.Newest(kindSchedules, "") {
		count++
	}
	return count >= c.config.Schedules
}

// newScheduleName is the name of a schedule to be created: the one given, below
// its parent, or one that is made up.
func (c *Control) newScheduleName(parent name, given string) (name, error) {
	if given == "" {
		return parent.child(atJob, newJobID()), nil
	}
	if err := contract.CheckScheduleName(given[strings.LastIndexByte(given, '/')+1:]); err != nil {
		return name{}, violation("job.name", "%v", err)
	}
	n, err := c.parseOne("job.name", given, atJob)
	if err == nil && n.up(atLocation) != parent {
		err = violation("job.name", "%q does not lie in the parent %q", given, parent)
	}
	return n, err
}

// UpdateSchedule changes a schedule: the fields that the mask names, or all of
// them without one. With another timetable it is due from now on.
func (c *Control) UpdateSchedule(ctx context.Context, r *schedulerpb.UpdateJobRequest) (*schedulerpb.Job, error) {
	n, err := c.parseOne("job.name", r.GetJob().GetName(), atJob)
	if err != nil {
		return nil, err
	}
	from := wantedSchedule(proto.CloneOf(r.GetJob()))
	return c.alterSchedule(ctx, n, func(s *schedulerpb.Job, of *scheduleNote) error {
		was := proto.CloneOf(s)
		if err := mergeSchedule(s, from, r.GetUpdateMask().GetPaths()); err != nil {
			return err
		}
		if err := c.completeSchedule(s, updateRequest); err != nil {
			return err
		}
		if was.GetSchedule() != s.GetSchedule() || was.GetTimeZone() != s.GetTimeZone() {
			of.Handled = c.config.Now()
		}
		return nil
	})
}

// mergeSchedule copies into s what the paths of a mask name of from. What is not
// for clients to set stays as it is.
func mergeSchedule(s, from *schedulerpb.Job, paths []string) error {
	if paths = maskPaths(paths); paths == nil {
		paths = []string{"description", "httpTarget", "pubsubTarget", "appEngineHttpTarget", "schedule", "timeZone", "retryConfig", "attemptDeadline"}
	}
	told := []string{"name", "userUpdateTime", "user_update_time", "state", "status", "scheduleTime", "schedule_time", "lastAttemptTime", "last_attempt_time"}
	for _, path := range paths {
		first, _, _ := strings.Cut(path, ".")
		if slices.Contains(told, first) {
			continue
		}
		if !mergePath(s.ProtoReflect(), from.ProtoReflect(), path) {
			return violation("updateMask", "%q is no field of a schedule", path)
		}
	}
	return nil
}

// alterSchedule changes a schedule on somebody's behalf.
func (c *Control) alterSchedule(ctx context.Context, n name, change func(*schedulerpb.Job, *scheduleNote) error) (*schedulerpb.Job, error) {
	var s *schedulerpb.Job
	var of scheduleNote
	err := c.changeSchedule(ctx, n, func(tx *store.Tx) error {
		if s = getSchedule(tx, n.String()); s == nil {
			return noSchedule(n)
		}
		of = getScheduleNote(tx, n.String())
		if err := change(s, &of); err != nil {
			return err
		}
		of.Version++
		s.UserUpdateTime = after(s.GetUserUpdateTime())
		putSchedule(tx, s, of)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.showSchedule(s, of), nil
}

// changeSchedule makes a change of a schedule durable, and has it looked at
// anew.
func (c *Control) changeSchedule(ctx context.Context, n name, change func(*store.Tx) error) error {
	return c.update(ctx, change, func(err error) {
		if err == nil || status.Code(err) == codes.Unavailable { // what could not be synced may be there
			c.attention.call(scheduleKey(n.String()), c.tendSchedule)
		}
	})
}

// noSchedule says that no schedule is called n, scheduleExists that one is.
func noSchedule(n name) error {
	return status.Errorf(codes.NotFound, "Schedule '%s' in region '%s' in project '%s' does not exist.", n.id(), n.location(), n.project())
}

func scheduleExists(n name) error {
	return status.Errorf(codes.AlreadyExists, "Schedule '%s' already exists.", n.id())
}
