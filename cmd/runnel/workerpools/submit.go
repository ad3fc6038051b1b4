package workerpools

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/shares"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
	"runnel/cmd/runnel/workerpools/change"
	"runnel/cmd/runnel/workerpools/split"
)

// submission is a worker pool being stored.
type submission struct {
	*commands
	changes *change.Flags // nil if no flags say what it is
	async   bool
	// source makes the image of a directory; nil if the verb takes none.
	source *source.Flags
	// force makes a revision even if nothing changes but what an image's tag
	// stands for.
	force bool
	// existing is the worker pool as it was found, nil if there was none.
	existing *runpb.WorkerPool
}

// newSubmission adds the flags of verbs that store a worker pool to cmd.
func (c *commands) newSubmission(cmd *cobra.Command) *submission {
	s := &submission{commands: c}
	cmd.Flags().SortFlags = false
	s.changes = change.Register(cmd.Flags())
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	return s
}

// put asks the daemon to store the worker pool of a full name.
type put func(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error)

// store has put store the worker pool, waits until it is ready, and tells how it
// went.
func (s *submission) store(ctx context.Context, r *verb.Remote, name string, w release.Words, put put) error {
	if w.Doing != "" {
		s.Say("%s Cloud Run worker pool [%s] in project [%s] region [%s]", w.Doing, verb.Short(name), r.Project, r.Region)
	}
	if w.Failed == "" {
		w.Failed = "Deployment failed"
	}
	var all []release.Stage
	if !w.Quiet {
		all = append(all, release.Stage{Name: "Creating Revision...", Condition: release.Ready})
	}
	p := release.NewProgress(release.Surroundings(s.Env, s.async), w.Header, all)
	pool, err := s.carry(ctx, r, name, p, put)
	if err != nil {
		return kind.Ended(ctx, s.Frame, p.Tracker, name, w, pool, s.inFlags(r, err))
	}
	p.Tracker.Close(stages.Done, "Done.")
	if s.async {
		s.Say("Worker pool [%s] is %s asynchronously.", verb.Short(name), w.Async)
	} else {
		s.tell(pool, w)
	}
	if s.Nothing() {
		return nil
	}
	return s.showPool(pool)
}

// carry stores the worker pool and waits. It has no name if it has not been
// stored.
func (s *submission) carry(ctx context.Context, r *verb.Remote, name string, p *release.Progress, put put) (*runpb.WorkerPool, error) {
	op, err := put(ctx, r, name)
	if err != nil {
		return nil, err
	}
	return verb.Follow(ctx, r, op, &runpb.WorkerPool{}, func(pool *runpb.WorkerPool) bool {
		p.Show(pool)
		return s.async
	})
}

// change changes the worker pool as it is now, or makes it if that is what the
// verb does, and begins again if it is another by then.
func (s *submission) change(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
	return release.Retry(func() (*longrunningpb.Operation, error) {
		pool, err := r.Client.WorkerPools.GetWorkerPool(ctx, &runpb.GetWorkerPoolRequest{Name: name})
		switch {
		case verb.Is(err, codes.NotFound) && s.force:
			pool = &runpb.WorkerPool{Name: name}
		case err != nil:
			return nil, r.Missing(err, "worker pool", name, "runnel worker-pools list")
		}
		if err := s.changes.Apply(pool); err != nil {
			return nil, err
		}
		return update(ctx, r, &runpb.UpdateWorkerPoolRequest{WorkerPool: pool, AllowMissing: s.force, ForceNewRevision: s.force})
	})
}

// update stores a worker pool.
func update(ctx context.Context, r *verb.Remote, request *runpb.UpdateWorkerPoolRequest) (*longrunningpb.Operation, error) {
	request.WorkerPool.Client, request.WorkerPool.ClientVersion = release.ClientName, ""
	return r.Client.WorkerPools.UpdateWorkerPool(ctx, request)
}

// inFlags names fields that the daemon finds wrong as the flags that set them.
func (s *submission) inFlags(r *verb.Remote, err error) error {
	if s.changes == nil {
		return release.InFlags(r, err, nil)
	}
	return release.InFlags(r, err, func(path string) string {
		switch path {
		case "workerPoolId", "workerPool.name", "name":
			return "NAME"
		}
		return s.changes.FlagOf(path)
	})
}

// tell says what has been done and what can be done next.
func (s *submission) tell(pool *runpb.WorkerPool, w release.Words) {
	id, revision := verb.Short(pool.GetName()), verb.Short(pool.GetLatestCreatedRevision())
	switch {
	case w.Done != "":
		s.Say("%s", w.Done)
	case s.changes == nil:
		s.Say("New configuration has been applied to worker pool [%s].", id)
	default:
		if percent := split.Percent(pool, revision); percent == shares.Whole {
			s.Say("Worker pool [%s] revision [%s] has been deployed.", id, revision)
		} else {
			s.Say("Worker pool [%s] revision [%s] has been deployed and has %d percent of the instances.", id, revision, percent)
		}
	}
	if w.Done == "" { // else they may be of long ago
		for _, warning := range warnings(pool) {
			s.Say("WARNING: %s", warning)
		}
	}
	switch {
	case pool.GetScaling().GetManualInstanceCount() == 0:
		s.Say("\nNo instance is to run. To start one, use:\nrunnel worker-pools update %s --instances 1", id)
	case w.Done == "" && s.changes != nil && split.Percent(pool, revision) == 0:
		s.Say("\nTo give it an instance, use:\nrunnel worker-pools update-instance-split %s --to-revisions %s=%d", id, revision, oneOf(pool.GetScaling().GetManualInstanceCount()))
	case w.Done == "":
		s.Say("\nTo see what it prints, use:\nrunnel worker-pools logs %s --follow", id)
	}
}

// oneOf is the least share of so many instances that is surely one of them: less
// may be rounded to none. Beyond a hundred that is one percent.
func oneOf(instances int32) int32 { return 1 + (shares.Whole-1)/instances }

// warnings are what keeps nothing from being ready, such as instances for which
// the host has no room yet.
func warnings(pool *runpb.WorkerPool) (all []string) {
	for _, c := range pool.GetConditions() {
		if c.GetSeverity() == runpb.Condition_WARNING && c.GetState() == runpb.Condition_CONDITION_FAILED {
			all = append(all, c.GetMessage())
		}
	}
	return all
}
