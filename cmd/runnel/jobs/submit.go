package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/jobs/change"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

// submission is a job being stored, and executed if that is asked for.
type submission struct {
	*commands
	changes                 *change.Flags
	source                  *source.Flags // nil if the verb stores nothing
	executeNow, wait, async bool
}

// newSubmission adds the flags of verbs that store a job to cmd.
func (c *commands) newSubmission(cmd *cobra.Command) *submission {
	s := &submission{commands: c}
	cmd.Flags().SortFlags = false
	s.changes = change.Register(cmd.Flags())
	s.source = source.Register(cmd.Flags())
	s.registerWaiting(cmd)
	cmd.Flags().BoolVar(&s.executeNow, "execute-now", false, "execute the job as soon as it is stored")
	cmd.Args = verb.WantAtMostOne("job name")
	return s
}

// registerWaiting adds the flags that say how long to wait.
func (s *submission) registerWaiting(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	cmd.Flags().BoolVar(&s.wait, "wait", false, "wait until the execution has ended; exit status 1 if it failed")
}

// check refuses what contradicts itself.
func (s *submission) check() error {
	if s.async && (s.executeNow || s.wait) {
		return cli.Usagef("--async: cannot stand beside --execute-now or --wait")
	}
	s.executeNow = s.executeNow || s.wait
	if err := s.changes.Check(); err != nil {
		return err
	}
	return s.source.Check()
}

// words are how a verb speaks of what it does.
type words struct {
	// doing begins the first line, step the header, done the last line.
	doing, step, done string
}

// store has put store the job, waits until it is ready, executes it if that is
// asked for, and tells how it went.
func (s *submission) store(ctx context.Context, r *verb.Remote, name string, w words, put func(context.Context) (*longrunningpb.Operation, error)) error {
	if err := s.source.Upload(ctx, s.Env, r.Client); err != nil {
		return err
	}
	s.Say("%s Cloud Run job [%s] in project [%s] region [%s]", w.doing, verb.Short(name), r.Project, r.Region)
	header, names := w.step+" job...", []string(nil)
	if s.executeNow {
		header, names = w.step+" and running job...", executionStages(s.wait)
	}
	env := s.Env
	if s.async {
		env.Stderr, env.Screen = io.Discard, false
	}
	tracker := stages.New(env, header, names...)
	job, x, err := s.carry(ctx, r, name, tracker, put)
	if err != nil {
		return s.ended(ctx, tracker, "Job failed to deploy", x, err)
	}
	tracker.Close(stages.Done, "Done.")
	s.tell(job, x, w.done)
	if s.Nothing() {
		return nil
	}
	return s.showJob(job)
}

// carry stores and executes. The execution is nil if there is none.
func (s *submission) carry(ctx context.Context, r *verb.Remote, name string, tracker *stages.Tracker, put func(context.Context) (*longrunningpb.Operation, error)) (*runpb.Job, *runpb.Execution, error) {
	op, err := put(ctx)
	if err != nil {
		return nil, nil, s.inFlags(r, err)
	}
	job, err := verb.Follow(ctx, r, op, &runpb.Job{}, func(job *runpb.Job) bool {
		tracker.Note(job.GetTerminalCondition().GetMessage())
		return s.async
	})
	if err != nil || !s.executeNow {
		return job, nil, err
	}
	x, err := s.execute(ctx, r, tracker, &runpb.RunJobRequest{Name: name})
	return job, x, err
}

// tell says what has been done and what can be done next.
func (s *submission) tell(job *runpb.Job, x *runpb.Execution, done string) {
	name := verb.Short(job.GetName())
	switch {
	case s.async:
		s.Say("Job [%s] is being %s asynchronously.", name, done)
	case s.wait:
		s.Say("Job [%s] has successfully been %s and completed execution [%s].", name, done, verb.Short(x.GetName()))
	case s.executeNow:
		s.Say("Job [%s] has successfully been %s and started running execution [%s].", name, done, verb.Short(x.GetName()))
	default:
		s.Say("Job [%s] has successfully been %s.", name, done)
	}
	again := ""
	if x != nil {
		s.Say("%s", describeHint(x))
		again = " again"
	}
	s.Say("\nTo execute this job%s, use:\nrunnel jobs execute %s", again, name)
}

// inFlags names fields that the daemon finds wrong as the flags that set them.
func (s *submission) inFlags(r *verb.Remote, err error) error {
	err = r.Client.Explain(err)
	var answer *client.Error
	if s.changes == nil || !verb.Is(err, codes.InvalidArgument) || !errors.As(err, &answer) || len(answer.Fields) == 0 {
		return err
	}
	usage := &cli.UsageError{}
	for _, f := range answer.Fields {
		path := s.changes.FlagOf(f.Path)
		if path == "jobId" {
			path = "NAME"
		}
		usage.Lines = append(usage.Lines, fmt.Sprintf("%s: %s", path, f.Message))
	}
	return usage
}
