// Package release is what verbs have in common that store a resource with
// revisions, a service or a worker pool: how far it has come, what is said at its
// end, whose flags a refusal is about, and beginning again when somebody else has
// changed it meanwhile.
package release

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// ClientName is what resources remember of the program that stored them.
const ClientName = "runnel"

// maxConflicts is how often an update begins again because somebody else has
// changed the resource meanwhile.
const maxConflicts = 5

// Resource is a service or a worker pool.
type Resource interface {
	GetName() string
	GetGeneration() int64
	GetObservedGeneration() int64
	GetTerminalCondition() *runpb.Condition
	GetConditions() []*runpb.Condition
	GetLatestCreatedRevision() string
	GetLatestReadyRevision() string
}

// Kind is a kind of resources with revisions.
type Kind struct {
	// Title is what sentences that begin with it call one, such as Service; Verbs is
	// where its verbs are, such as services.
	Title, Verbs string
}

// Words are how a verb speaks of what it does.
type Words struct {
	// Doing begins the first line, if there is one; Header stands over the stages,
	// Failed is said if they fail, Async what is going on without the command. Done
	// is the last line where no revision has been made.
	Doing, Header, Failed, Async, Done string
	// Quiet says that no revision comes of it.
	Quiet bool
}

// Surroundings are those of a command that shows how far something has come or,
// if async, shows nothing.
func Surroundings(e cli.Env, async bool) cli.Env {
	if async {
		e.Stderr, e.Screen = io.Discard, false
	}
	return e
}

// Retry calls store until nobody else has changed meanwhile what it is about, a
// few times at most.
func Retry[M any](store func() (M, error)) (stored M, err error) {
	for range maxConflicts {
		if stored, err = store(); !verb.Is(err, codes.Aborted) {
			break
		}
	}
	return stored, err
}

// NextRevision makes up a name for the next revision of a resource.
func NextRevision(of Resource) string {
	var random [3]byte
	_, _ = rand.Read(random[:]) // it never fails
	return contract.RevisionName(verb.Short(of.GetName()), of.GetGeneration()+1, random)
}

// Ended closes the tracker after err, and says what there is to know about the
// resource of a full name; stored has no name if it has not been stored.
func (k Kind) Ended(ctx context.Context, f *verb.Frame, tracker *stages.Tracker, name string, w Words, stored Resource, err error) error {
	var stopped *cli.Interrupted
	var failure *verb.Failed
	id := verb.Short(name)
	switch {
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		if stored.GetName() != "" {
			f.Say("%s [%s] goes on %s without this command.\n\nTo see how it is doing, use:\nrunnel %s describe %[2]s", k.Title, id, w.Async, k.Verbs)
		}
		return stopped
	case errors.As(err, &failure):
		tracker.Close(stages.Failed, w.Failed)
		f.Say("%s", failure.Error())
		hint := fmt.Sprintf("runnel %s logs %s --system", k.Verbs, id)
		if latest := stored.GetLatestCreatedRevision(); latest != "" && latest != stored.GetLatestReadyRevision() {
			hint += " --revision " + verb.Short(latest)
		}
		f.Say("\nSee what it printed, and what became of it, by running:\n%s", hint)
		return cli.ErrFailed
	}
	tracker.Close(stages.Failed, w.Failed)
	return err
}

// InFlags names fields that the daemon finds wrong as the flags that set them:
// flagOf knows those, and is nil if no flags do.
func InFlags(r *verb.Remote, err error, flagOf func(path string) string) error {
	if errors.As(err, new(*verb.Failed)) {
		return err
	}
	err = r.Client.Explain(err)
	var answer *client.Error
	if flagOf == nil || !verb.Is(err, codes.InvalidArgument) || !errors.As(err, &answer) || len(answer.Fields) == 0 {
		return err
	}
	usage := &cli.UsageError{}
	for _, f := range answer.Fields {
		usage.Lines = append(usage.Lines, fmt.Sprintf("%s: %s", flagOf(f.Path), f.Message))
	}
	return usage
}
