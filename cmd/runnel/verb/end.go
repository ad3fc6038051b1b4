package verb

import (
	"context"
	"errors"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/stages"
)

// Ending is how a verb that ends something speaks of it.
type Ending struct {
	// Doing is the header while it lasts, Async what is said instead of waiting,
	// Done what is said at its end.
	Doing, Async, Done string
}

// Deletion is how the deletion of a resource of a kind is spoken of.
func Deletion(kind, name string) Ending {
	return Ending{
		Doing: "Deleting [" + name + "]...",
		Async: strings.ToUpper(kind[:1]) + kind[1:] + " [" + name + "] is being deleted.",
		Done:  "Deleted " + kind + " [" + name + "].",
	}
}

// End waits until op is done, unless async, and leaves what it was about in
// resource.
func End[M proto.Message](ctx context.Context, f *Frame, r *Remote, op *longrunningpb.Operation, resource M, async bool, w Ending) error {
	if async {
		f.Say("%s", w.Async)
		return nil
	}
	tracker := stages.New(f.Env, w.Doing)
	_, err := Follow(ctx, r, op, resource, func(M) bool { return false })
	var failure *Failed
	switch {
	case Is(err, codes.NotFound): // the operation went with what it was about
		err = nil
	case errors.As(err, &failure):
		err = client.NewError(failure.Status.Message(), failure.Status.Err())
	}
	var stopped *cli.Interrupted
	switch {
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		f.Say("%s", w.Async)
		return stopped
	case err != nil:
		tracker.Close(stages.Failed, "Failed.")
		return err
	}
	tracker.Close(stages.Done, "Done.")
	if w.Done != "" {
		f.Say("%s", w.Done)
	}
	return nil
}
