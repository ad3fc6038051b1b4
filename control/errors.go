package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api"
)

// notFound says that no resource is called n.
func notFound(n name) error {
	return status.Errorf(codes.NotFound, "Resource '%s' of kind '%s' in region '%s' in project '%s' does not exist.",
		n.id(), levels[n.at].kind, n.location(), n.project())
}

// alreadyExists says that there is a resource called n.
func alreadyExists(n name) error {
	return status.Errorf(codes.AlreadyExists, "Resource '%s' already exists.", n.id())
}

// wrongState says that what was asked for is not possible now.
func wrongState(format string, args ...any) error {
	return status.Errorf(codes.FailedPrecondition, format, args...)
}

// invalid says what is wrong with the fields of a request, whose name is empty
// where it makes no difference.
func invalid(request string, wrong api.FieldErrors) error {
	lines := make([]string, len(wrong))
	details := &errdetails.BadRequest{}
	for i, w := range wrong {
		where := w.Path
		if request != "" {
			where = request + "." + w.Path
		}
		lines[i] = "violation in " + where + "\n" + w.Message
		details.FieldViolations = append(details.FieldViolations,
			&errdetails.BadRequest_FieldViolation{Field: w.Path, Description: w.Message})
	}
	s := status.New(codes.InvalidArgument, strings.Join(lines, "\n"))
	if detailed, err := s.WithDetails(details); err == nil {
		s = detailed
	}
	return s.Err()
}

// violation says what is wrong with one field of a request.
func violation(field, format string, args ...any) error {
	return invalid("", api.FieldErrors{{Path: field, Message: fmt.Sprintf(format, args...)}})
}

// invalidResource turns what api finds wrong with a resource into an error about a
// request; translate turns its paths into those of the request.
func invalidResource(err error, request string, translate func(string) string) error {
	var wrong api.FieldErrors
	if errors.As(err, &wrong) {
		return invalid(request, wrong.WithPaths(translate))
	}
	return status.Error(codes.InvalidArgument, err.Error())
}

// unavailable says that the store cannot take changes at the moment.
func unavailable(err error) error {
	return status.Errorf(codes.Unavailable, "The state of this host cannot be written: %v", err)
}

// contextError is what a caller is told who has not waited long enough.
func contextError(ctx context.Context) error {
	return status.FromContextError(ctx.Err()).Err()
}

// isStatus reports whether err is an answer to a caller.
func isStatus(err error) bool {
	var s interface{ GRPCStatus() *status.Status }
	return errors.As(err, &s)
}

// isNotFound, isAlreadyExists and isAborted tell what an answer is.
func isNotFound(err error) bool      { return status.Code(err) == codes.NotFound }
func isAlreadyExists(err error) bool { return status.Code(err) == codes.AlreadyExists }
func isAborted(err error) bool       { return status.Code(err) == codes.Aborted }
