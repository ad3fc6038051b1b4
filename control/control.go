package control

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/contract"
	"runnel/scheduler"
	"runnel/store"
)

// Defaults of Config.
const (
	// defaultKeepExecutions and defaultRunningExecutions are Cloud Run's.
	// Source: "Quotas and limits".
	defaultKeepExecutions    = 1000
	defaultRunningExecutions = 1000

	defaultKeepInstances = 100
	// defaultDeployTime leaves room for the longest start that probes allow, and
	// for a large image.
	defaultDeployTime = 15 * time.Minute
	// defaultWarmTime is short because a host may have no room for the old
	// instances and all new ones together, and a rollback must not wait for that.
	defaultWarmTime = time.Minute

	// defaultSchedules keeps a mistake in a loop from filling the disk.
	defaultSchedules = 1000

	defaultKeepOperations = 10_000
	defaultOperationAge   = 24 * time.Hour
)

// Config says what a control plane works with. Store, Scheduler, Images,
// Project, ProjectNumber, Region and ServiceAccount are required.
type Config struct {
	// Store keeps everything. It is the caller's to close, after Close.
	Store *store.Store
	// Scheduler runs executions, and writes a Journal in Store. It is the
	// caller's to detach, after Close.
	Scheduler *scheduler.Scheduler
	// Images is where their images are.
	Images Images
	// Fleet keeps the instances of services and worker pools; nil: there are none
	// of these here. It is the caller's to detach, after Close.
	Fleet Fleet
	// Journal is the one that Fleet writes; required with it.
	Journal *Journal

	// Project and Region are meant where a door is told none; ProjectNumber
	// belongs to Project.
	Project, ProjectNumber, Region string
	// ServiceAccount is the one of jobs that name none: an email address.
	ServiceAccount string

	// KeepExecutions is how many executions that have ended are kept of each
	// job; 0 means 1,000.
	KeepExecutions int
	// RunningExecutions is how many there may be at once that have not ended, on
	// this host; 0 means 1,000.
	RunningExecutions int
	// KeepTasks is how many tasks that have ended are kept of each app, those of
	// its Kf jobs among them; 0 means 500. SpaceEnv are variables of all apps,
	// which lose against an app's own.
	KeepTasks int
	SpaceEnv  map[string]string
	// KeepOperations is how many operations are kept, and OperationAge how long
	// those that are done; 0 means 10,000, and a day.
	KeepOperations int
	OperationAge   time.Duration

	// Domain is what the host names of services end with; run.localhost if empty.
	// URL is the URL of a host name, where requests come in; nil: http and the
	// default port.
	Domain string
	URL    func(host string) string
	// MoreDomains are others that the same names are known below. Domains gives
	// services hosts beside: by a host, or "*." and a domain, the service's full
	// name, or its id where project and region are the daemon's own.
	MoreDomains []string
	Domains     map[string]string
	// KeepRevisions is how many revisions are kept of each service and worker pool,
	// and KeepTags how many tags a location may have; 0 means 1,000, and 2,000.
	KeepRevisions, KeepTags int
	// KeepInstances is how many instances of a revision that have ended are
	// remembered, with their logs; 0 means 100.
	KeepInstances int
	// DeployTime bounds how long a revision may take to be ready, and WarmTime
	// how long its traffic waits then for the minimum of its instances; 15
	// minutes, and one, if 0.
	DeployTime, WarmTime time.Duration

	// Schedules is how many schedules there may be; 0 means 1,000.
	Schedules int
	// Hosts are names that the API goes by, as the targets of schedules have them,
	// beside Google's own and those of the loopback interface.
	Hosts []string
	// Now tells the time for schedules; nil: the host's clock does.
	Now func() time.Time

	// LogURI is the address of the logs of an execution or of a revision, by its
	// full name. Nil: they have none.
	LogURI func(resource string) string
	// RemoveLogs removes what an instance has written, if there is anything.
	// Nil: nothing is written.
	RemoveLogs func(instance string) error
	// Logger gets state changes; nil discards them.
	Logger *slog.Logger
}

// Validate reports everything that is missing.
func (c Config) Validate() error {
	var errs []error
	for _, f := range []struct {
		what    string
		missing bool
	}{
		{"a store", c.Store == nil},
		{"a scheduler", c.Scheduler == nil},
		{"images", c.Images == nil},
		{"a project", c.Project == ""},
		{"a project number", !isNumber(c.ProjectNumber)},
		{"a region", c.Region == ""},
		{"a service account", c.ServiceAccount == ""},
		{"the journal of the fleet", c.Fleet != nil && c.Journal == nil},
	} {
		if f.missing {
			errs = append(errs, errors.New("control needs "+f.what))
		}
	}
	return errors.Join(errs...)
}

// Control is the control plane of one host. Its methods are safe for concurrent
// use; every call but Start and Close returns a gRPC status error.
type Control struct {
	config Config

	projects   projects
	census     *census
	operations *operations
	runs       *runs
	attention  attention
	agenda     *agenda
	// kept are the revisions that the fleet has.
	kept *kept
	// routing is held while it is told how a service's requests are served.
	routing sync.Mutex
	// changes rings for operations that are done, for jobs, services, worker pools and
	// schedules that have changed, and for executions that have got further.
	changes bells

	// ctx ends with Close; writes are the changes under way, and clock is who
	// keeps the time.
	ctx    context.Context
	stop   context.CancelFunc
	writes sync.WaitGroup
	clock  sync.WaitGroup
	// refused says that the disk has refused the last change.
	refused atomic.Bool
	// mu keeps writes from beginning while Close waits for them.
	mu     sync.RWMutex
	closed bool // guarded by mu
}

// New makes a control plane that has not looked at the store yet.
func New(config Config) *Control {
	config.KeepExecutions = cmp.Or(config.KeepExecutions, defaultKeepExecutions)
	config.RunningExecutions = cmp.Or(config.RunningExecutions, defaultRunningExecutions)
	config.KeepTasks = cmp.Or(config.KeepTasks, contract.KfKeptTasks)
	config.KeepOperations = cmp.Or(config.KeepOperations, defaultKeepOperations)
	config.OperationAge = cmp.Or(config.OperationAge, defaultOperationAge)
	config.Domain = cmp.Or(config.Domain, defaultDomain)
	config.KeepRevisions = cmp.Or(config.KeepRevisions, contract.MaxRevisions)
	config.KeepTags = cmp.Or(config.KeepTags, contract.MaxTags)
	config.KeepInstances = cmp.Or(config.KeepInstances, defaultKeepInstances)
	config.DeployTime = cmp.Or(config.DeployTime, defaultDeployTime)
	config.WarmTime = cmp.Or(config.WarmTime, defaultWarmTime)
	config.Schedules = cmp.Or(config.Schedules, defaultSchedules)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.URL == nil {
		config.URL = func(host string) string { return "http://" + host }
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Control{
		config:     config,
		census:     newCensus(),
		operations: newOperations(),
		runs:       newRuns(),
		kept:       newKept(),
		agenda:     newAgenda(),
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.projects.use(config.Project, config.ProjectNumber)
	return c
}

// Close decides nothing any more. Calls fail from now on; what runs goes on,
// and the store says how to go on with it. Close it before the scheduler is
// detached.
func (c *Control) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.attention.close()
	c.clock.Wait()
	c.writes.Wait()
	return nil
}

// update makes a change durable, and tells settled what has become of it: also
// when the caller does not wait for that any more, so that nothing is durable
// that nobody has seen to. change may run more than once; what it sets may be
// read in settled, and where update has returned nil.
func (c *Control) update(ctx context.Context, change func(*store.Tx) error, settled func(error)) error {
	if err := c.mayWrite(); err != nil {
		settled(err)
		return err
	}
	result := make(chan error, 1)
	go func() {
		defer c.writes.Done()
		err := c.config.Store.Update(c.ctx, change)
		c.disk(err)
		if err != nil && !isStatus(err) {
			err = unavailable(err)
		}
		settled(err)
		result <- err
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return contextError(ctx)
	}
}

// stands reports whether the record that a change has put is there, as it also
// may be after an error: what a disk could not sync is seen, and may stay.
func (c *Control) stands(err error, kind store.Kind, name string) bool {
	if err == nil || status.Code(err) != codes.Unavailable {
		return err == nil
	}
	var there bool
	err = c.view(func(tx *store.Tx) error {
		there = tx.Get(kind, name) != nil
		return nil
	})
	return err == nil && there
}

// disk tells when the disk begins to refuse changes, and when it takes one again.
func (c *Control) disk(err error) {
	switch {
	case errors.Is(err, store.ErrDisk) && !c.refused.Swap(true):
		c.config.Logger.Error("no change can be stored", "err", err)
	case err == nil && c.refused.Swap(false):
		c.config.Logger.Info("changes can be stored again")
	}
}

// mayWrite counts a write that may begin.
func (c *Control) mayWrite() error {
	if err := c.config.Store.Health(); err != nil {
		c.disk(err)
		return unavailable(err)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return unavailable(errClosed)
	}
	c.writes.Add(1)
	return nil
}

// errClosed is what calls get that come too late.
var errClosed = errors.New("this daemon is about to end")

// view reads the store.
func (c *Control) view(look func(*store.Tx) error) error {
	err := c.config.Store.View(look)
	if err == nil || isStatus(err) {
		return err
	}
	return unavailable(err)
}

// retryDisk is how long to wait for a disk that refuses to write.
const retryDisk = time.Second

// persist makes a change durable on nobody's behalf: it waits for a disk that
// refuses as long as ctx allows.
func (c *Control) persist(ctx context.Context, change func(*store.Tx) error) error {
	for {
		err := c.config.Store.Update(ctx, change)
		c.disk(err)
		if !errors.Is(err, store.ErrDisk) {
			return err
		}
		wait(ctx, retryDisk) // Update says so if ctx ends
	}
}
