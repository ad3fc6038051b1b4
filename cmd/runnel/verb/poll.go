package verb

import (
	"context"
	"fmt"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/cmd/runnel/client"
)

const (
	// glance is how often progress is asked for.
	glance = 500 * time.Millisecond
	// patience is how long a daemon may be away while a command waits: it may be
	// started again, and goes on where it was.
	patience = time.Minute
)

// Failed is how an operation has failed, which is not to say that the daemon
// could not be asked.
type Failed struct{ Status *status.Status }

// Error is what the operation says of its failure.
func (e *Failed) Error() string { return e.Status.Message() }

// Follow waits until op is done or look, which is told of the resource that the
// operation is about as it changes, has seen enough. It returns the resource as
// it was seen last, and *Failed if the operation has failed.
func Follow[M proto.Message](ctx context.Context, r *Remote, op *longrunningpb.Operation, resource M, look func(M) (enough bool)) (M, error) {
	for {
		if err := Unpack(op, resource); err != nil {
			return resource, err
		}
		enough := look(resource)
		if op.GetDone() {
			if e := op.GetError(); e != nil {
				return resource, &Failed{status.FromProto(e)}
			}
			return resource, nil
		}
		if enough {
			return resource, nil
		}
		next, err := r.waitOperation(ctx, op.GetName())
		if err != nil {
			return resource, err
		}
		op = next
	}
}

// Unpack puts what op is about into resource: its result, or else how far it
// has come.
func Unpack(op *longrunningpb.Operation, resource proto.Message) error {
	from := op.GetResponse()
	if from == nil {
		from = op.GetMetadata()
	}
	if from == nil {
		return fmt.Errorf("operation %s is about nothing", op.GetName())
	}
	proto.Reset(resource)
	if err := from.UnmarshalTo(resource); err != nil {
		return fmt.Errorf("operation %s: %w", op.GetName(), err)
	}
	return nil
}

// waitOperation returns the operation after a glance, or sooner if it is done
// by then. A daemon that is away is asked again for as long as patience lasts.
func (r *Remote) waitOperation(ctx context.Context, name string) (*longrunningpb.Operation, error) {
	request := &longrunningpb.WaitOperationRequest{Name: name, Timeout: durationpb.New(glance)}
	for since := time.Now(); ; {
		op, err := r.Client.Operations.WaitOperation(ctx, request)
		if err == nil {
			return op, nil
		}
		if ctx.Err() != nil || !client.Lost(err) || time.Since(since) > patience {
			return nil, err
		}
		if err := Pause(ctx, glance); err != nil {
			return nil, err
		}
	}
}

// Pause waits for d, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Is reports whether err is the daemon's answer of a code.
func Is(err error, code codes.Code) bool { return err != nil && status.Code(err) == code }
