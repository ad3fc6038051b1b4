package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/services/change"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// clientName is what services remember of the program that stored them.
const clientName = "runnel"

// maxConflicts is how often an update begins again because somebody else has
// changed the service meanwhile.
const maxConflicts = 5

// nonceLabel makes a revision although nothing else has changed.
const nonceLabel = "client.knative.dev/nonce"

// submission is a service being stored.
type submission struct {
	*commands
	changes *change.Flags
	// flagOf names a field of the service as the flag that sets it; nil if no
	// flags do.
	flagOf func(path string) string
	async  bool
	access change.Toggle
	// source makes the image of a directory; nil if the verb takes none.
	source *source.Flags
	// force makes a revision even if nothing changes but what an image's tag
	// stands for.
	force bool
	// applied says that a file, not flags, says what the service is.
	applied bool

	existing *runpb.Service // as it was found, nil if there was none
	open     *bool          // whether everybody may call it; nil leaves that
	closed   error          // why that could not be said
}

// newSubmission adds the flags of verbs that store a service to cmd.
func (c *commands) newSubmission(cmd *cobra.Command) *submission {
	s := &submission{commands: c}
	cmd.Flags().SortFlags = false
	s.changes = change.Register(cmd.Flags())
	s.flagOf = s.changes.FlagOf
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	return s
}

// check refuses what contradicts itself.
func (s *submission) check() error { return s.changes.Check() }

// words are how a verb speaks of what it does.
type words struct {
	// doing begins the first line, if there is one; header stands over the
	// stages, failed is said if they fail, async what is going on without the
	// command. done is the last line where no revision has been made.
	doing, header, failed, async, done string
	// quiet says that no revision comes of it.
	quiet bool
}

// put asks the daemon to store the service of a full name.
type put func(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error)

// store has put store the service, waits until it is ready, and tells how it
// went.
func (s *submission) store(ctx context.Context, r *verb.Remote, name string, w words, put put) error {
	if w.doing != "" {
		s.Say("%s Cloud Run service [%s] in project [%s] region [%s]", w.doing, verb.Short(name), r.Project, r.Region)
	}
	if w.failed == "" {
		w.failed = "Deployment failed"
	}
	env := s.Env
	if s.async {
		env.Stderr, env.Screen = io.Discard, false
	}
	p := s.newProgress(env, w)
	service, err := s.carry(ctx, r, name, p, put)
	if err != nil {
		return s.ended(ctx, p.tracker, name, w, service, s.inFlags(r, err))
	}
	p.tracker.Close(stages.Done, "Done.")
	if s.async {
		s.Say("Service [%s] is %s asynchronously.", verb.Short(name), w.async)
	} else {
		s.tell(ctx, r, service, w)
	}
	if s.closed != nil {
		return client.NewError(fmt.Sprintf("cannot set the IAM policy: %v; try %q", r.Client.Explain(s.closed), s.accessHint(name)), s.closed)
	}
	if s.Nothing() {
		return nil
	}
	return s.showService(service)
}

// accessHint is a command that lets everybody call the service, or not, as the
// flags wanted.
func (s *submission) accessHint(name string) string {
	action := map[bool]string{true: "add", false: "remove"}[*s.open]
	return fmt.Sprintf("runnel services %s-iam-policy-binding %s --member %s --role %s", action, verb.Short(name), everybody, invokerRole)
}

// carry stores the service, says who may call it, and waits. The service is nil
// if it has not been stored.
func (s *submission) carry(ctx context.Context, r *verb.Remote, name string, p *progress, put put) (*runpb.Service, error) {
	op, err := put(ctx, r, name)
	if err != nil {
		return nil, err
	}
	if s.open != nil {
		s.closed = s.setAccess(ctx, r, name)
		p.policy(s.closed)
	}
	return verb.Follow(ctx, r, op, &runpb.Service{}, func(service *runpb.Service) bool {
		p.show(service)
		return s.async
	})
}

// setAccess lets everybody call the service, or not.
func (s *submission) setAccess(ctx context.Context, r *verb.Remote, name string) error {
	_, err := editPolicy(ctx, r, name, func(p policy) error {
		if *s.open {
			p.add(invokerRole, everybody)
		} else {
			p.remove(invokerRole, everybody)
		}
		return nil
	})
	return err
}

// createOrUpdate stores a service that may have come or gone meanwhile.
func (s *submission) createOrUpdate(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
	if s.existing == nil {
		op, err := s.create(ctx, r, name)
		if !verb.Is(err, codes.AlreadyExists) {
			return op, err
		}
	}
	return s.change(ctx, r, name)
}

// create asks the daemon to make the service that the flags describe.
func (s *submission) create(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
	service := &runpb.Service{Name: name}
	if err := s.changes.Apply(service, func() string { return nextRevision(service) }); err != nil {
		return nil, err
	}
	service.Name, service.Client = "", clientName
	parent, _, _ := strings.Cut(name, "/"+servicesOf+"/")
	return r.Client.Services.CreateService(ctx, &runpb.CreateServiceRequest{Parent: parent, ServiceId: verb.Short(name), Service: service})
}

// change changes the service as it is now, and begins again if it is another by
// then.
func (s *submission) change(ctx context.Context, r *verb.Remote, name string) (op *longrunningpb.Operation, err error) {
	for range maxConflicts {
		var service *runpb.Service
		if service, err = getService(ctx, r, name); err != nil {
			return nil, err
		}
		if err = s.changes.Apply(service, func() string { return nextRevision(service) }); err != nil {
			return nil, err
		}
		if s.force {
			forceRevision(service)
		}
		op, err = update(ctx, r, service)
		if !verb.Is(err, codes.Aborted) {
			return op, err
		}
	}
	return op, err
}

// update stores a service that there is.
func update(ctx context.Context, r *verb.Remote, service *runpb.Service) (*longrunningpb.Operation, error) {
	service.Client, service.ClientVersion = clientName, ""
	return r.Client.Services.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: service})
}

// forceRevision makes the template of a service differ from the one before, by
// the label that gcloud uses for it.
func forceRevision(service *runpb.Service) {
	t := service.GetTemplate()
	t.Labels = maps.Clone(t.GetLabels())
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	t.Labels[nonceLabel] = strings.ToLower(rand.Text())[:10]
}

// nextRevision makes up a name for the next revision of a service.
func nextRevision(service *runpb.Service) string {
	var random [3]byte
	_, _ = rand.Read(random[:]) // it never fails
	return contract.RevisionName(verb.Short(service.GetName()), service.GetGeneration()+1, random)
}

// makesRevision reports whether the flags change what instances run.
func (s *submission) makesRevision(service *runpb.Service) (bool, error) {
	before, after := proto.Clone(service).(*runpb.Service), proto.Clone(service).(*runpb.Service)
	if err := s.changes.Apply(after, func() string { return nextRevision(service) }); err != nil {
		return false, err
	}
	if before.Template != nil && after.Template.GetRevision() == "" {
		before.Template.Revision = ""
	}
	return !proto.Equal(before.GetTemplate(), after.GetTemplate()), nil
}

// ended closes the tracker after err, and says what there is to know about the
// service, if it has been stored.
func (s *submission) ended(ctx context.Context, tracker *stages.Tracker, name string, w words, service *runpb.Service, err error) error {
	var stopped *cli.Interrupted
	var failure *verb.Failed
	id := verb.Short(name)
	switch {
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		if service != nil {
			s.Say("Service [%s] goes on %s without this command.\n\nTo see how it is doing, use:\nrunnel services describe %[1]s", id, w.async)
		}
		return stopped
	case errors.As(err, &failure):
		tracker.Close(stages.Failed, w.failed)
		s.Say("%s", failure.Error())
		hint := "runnel services logs " + id + " --system"
		if latest := service.GetLatestCreatedRevision(); latest != "" && latest != service.GetLatestReadyRevision() {
			hint += " --revision " + verb.Short(latest)
		}
		s.Say("\nSee what it printed, and what became of it, by running:\n%s", hint)
		return cli.ErrFailed
	}
	tracker.Close(stages.Failed, w.failed)
	return err
}

// inFlags names fields that the daemon finds wrong as the flags that set them.
func (s *submission) inFlags(r *verb.Remote, err error) error {
	if errors.As(err, new(*verb.Failed)) {
		return err
	}
	err = r.Client.Explain(err)
	var answer *client.Error
	if s.flagOf == nil || !verb.Is(err, codes.InvalidArgument) || !errors.As(err, &answer) || len(answer.Fields) == 0 {
		return err
	}
	usage := &cli.UsageError{}
	for _, f := range answer.Fields {
		path := s.flagOf(f.Path)
		if path == "serviceId" {
			path = "NAME"
		}
		usage.Lines = append(usage.Lines, fmt.Sprintf("%s: %s", path, f.Message))
	}
	return usage
}
