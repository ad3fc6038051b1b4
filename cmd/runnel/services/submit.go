package services

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/family"
	"runnel/cmd/runnel/release"
	"runnel/cmd/runnel/services/change"
	"runnel/cmd/runnel/source"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

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
	access family.Toggle
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

// put asks the daemon to store the service of a full name.
type put func(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error)

// store has put store the service, waits until it is ready, and tells how it
// went.
func (s *submission) store(ctx context.Context, r *verb.Remote, name string, w release.Words, put put) error {
	if w.Doing != "" {
		s.Say("%s Cloud Run service [%s] in project [%s] region [%s]", w.Doing, verb.Short(name), r.Project, r.Region)
	}
	if w.Failed == "" {
		w.Failed = "Deployment failed"
	}
	p := s.newProgress(w)
	service, err := s.carry(ctx, r, name, p, put)
	if err != nil {
		return kind.Ended(ctx, s.Frame, p.Tracker, name, w, service, s.inFlags(r, err))
	}
	p.Tracker.Close(stages.Done, "Done.")
	if s.async {
		s.Say("Service [%s] is %s asynchronously.", verb.Short(name), w.Async)
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
		p.Show(service)
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
	if err := s.changes.Apply(service, func() string { return release.NextRevision(service) }); err != nil {
		return nil, err
	}
	service.Name, service.Client = "", release.ClientName
	parent, _, _ := strings.Cut(name, "/"+servicesOf+"/")
	return r.Client.Services.CreateService(ctx, &runpb.CreateServiceRequest{Parent: parent, ServiceId: verb.Short(name), Service: service})
}

// change changes the service as it is now, and begins again if it is another by
// then.
func (s *submission) change(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
	return release.Retry(func() (*longrunningpb.Operation, error) {
		service, err := getService(ctx, r, name)
		if err != nil {
			return nil, err
		}
		if err := s.changes.Apply(service, func() string { return release.NextRevision(service) }); err != nil {
			return nil, err
		}
		if s.force {
			forceRevision(service)
		}
		return update(ctx, r, service)
	})
}

// update stores a service that there is.
func update(ctx context.Context, r *verb.Remote, service *runpb.Service) (*longrunningpb.Operation, error) {
	service.Client, service.ClientVersion = release.ClientName, ""
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

// makesRevision reports whether the flags change what instances run.
func (s *submission) makesRevision(service *runpb.Service) (bool, error) {
	before, after := proto.Clone(service).(*runpb.Service), proto.Clone(service).(*runpb.Service)
	if err := s.changes.Apply(after, func() string { return release.NextRevision(service) }); err != nil {
		return false, err
	}
	if before.Template != nil && after.Template.GetRevision() == "" {
		before.Template.Revision = ""
	}
	return !proto.Equal(before.GetTemplate(), after.GetTemplate()), nil
}

// inFlags names fields that the daemon finds wrong as the flags that set them.
func (s *submission) inFlags(r *verb.Remote, err error) error {
	if s.flagOf == nil {
		return release.InFlags(r, err, nil)
	}
	return release.InFlags(r, err, func(path string) string {
		if flag := s.flagOf(path); flag != "serviceId" {
			return flag
		}
		return "NAME"
	})
}
