package serving

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"time"

	"runnel/contract"
	"runnel/ingress"
	rruntime "runnel/runtime"
	"runnel/scheduler"
)

// Line is something to be told of an instance, in the system log.
type Line struct {
	Time time.Time
	// Revision is the full name; Instance the ID, empty if it is about no
	// certain one; Container its name, if it is about one.
	Revision, Instance, Container string
	Severity                      string
	Text                          string
}

// Config says what a Fleet works with. Create, Budget, Server and ProjectNumber
// are required.
type Config struct {
	// Create makes instances, Adopt takes over those that another process has
	// left; as scheduler.Create and scheduler.Adopt.
	Create func(ctx context.Context, spec rruntime.Spec) (Instance, error)
	Adopt  func(ctx context.Context, spec rruntime.Spec) (Instance, error)
	// Journal; nil: instances end with this process.
	Journal Journal
	// Budget is what all instances of the host share.
	Budget *scheduler.Budget
	// Server takes the requests.
	Server *ingress.Server
	// ProjectNumber gives the number of a project.
	ProjectNumber func(project string) string
	// PIDs bounds the processes and threads of each container; 8,192 if 0.
	PIDs int64
	// Creating is how many instances are created at once; twice the number of
	// CPUs if 0.
	Creating int
	// Prepared is how many instances there are at most that wait for the first
	// request of a revision without any; 100 if 0, none if negative.
	Prepared int
	// IdleTime is how long an instance without requests is kept;
	// contract.IdleTime if 0.
	IdleTime time.Duration
	// Tell is told what there is to say about instances; it must not block for
	// long. Nil: nobody wants to know.
	Tell func(Line)
	// Changed is told, by its full name, that Status of a revision may say
	// something else; it must not call back. Nil: nobody wants to know.
	Changed func(revision string)
	// Logger gets state changes; nil discards them.
	Logger *slog.Logger
}

// Defaults of Config.
const (
	// defaultPIDs is far above what servers use, far below what a host has.
	defaultPIDs     = 8192
	defaultPrepared = 100
)

// complete fills in the defaults.
func (c *Config) complete() {
	if c.Adopt == nil {
		c.Adopt = func(context.Context, rruntime.Spec) (Instance, error) { return nil, rruntime.ErrNotFound }
	}
	c.PIDs = cmp.Or(c.PIDs, defaultPIDs)
	c.Creating = cmp.Or(c.Creating, 2*runtime.NumCPU())
	c.Prepared = cmp.Or(c.Prepared, defaultPrepared)
	c.IdleTime = cmp.Or(c.IdleTime, contract.IdleTime)
	if c.Tell == nil {
		c.Tell = func(Line) {}
	}
	if c.Changed == nil {
		c.Changed = func(string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
