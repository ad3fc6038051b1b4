package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// Why a parameter of a query is refused.
var (
	errInPath = errors.New("the path has said it already")
	errInBody = errors.New("it belongs into the body")
	errTwice  = errors.New("it is there twice")
)

// Error is an error whose HTTP status is not the one that its code stands for,
// such as 413.
type Error struct {
	// Code is the HTTP status.
	Code int
	// Status is what gRPC would say.
	Status *status.Status
	// allow are the methods that would have been right, if others are.
	allow string
}

// Error is the message.
func (e *Error) Error() string { return e.Status.Message() }

// GRPCStatus makes status.FromError find the status.
func (e *Error) GRPCStatus() *status.Status { return e.Status }

// newError is an Error with a formatted message.
func newError(httpCode int, c codes.Code, format string, args ...any) *Error {
	return &Error{Code: httpCode, Status: status.Newf(c, format, args...)}
}

// HTTPStatus is the HTTP status that Google's APIs answer with in place of a
// gRPC code.
func HTTPStatus(c codes.Code) int {
	switch c {
	case codes.OK:
		return http.StatusOK
	case codes.Canceled:
		return 499 // the client has gone; it is not in net/http
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// explain is the status of err, and the HTTP status that goes with it.
func explain(err error) (int, *status.Status) {
	var e *Error
	if errors.As(err, &e) {
		return e.Code, e.Status
	}
	st, ok := status.FromError(err)
	if !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		st = status.FromContextError(err)
	}
	return HTTPStatus(st.Code()), st
}

// codeName is the name of c in an error's body: "NOT_FOUND".
func codeName(c codes.Code) string { return code.Code(c).String() }

// showable leaves of an error's details what Google's clients parse: they drop
// all of them if they do not know one.
func showable(details []*anypb.Any) (shown []*anypb.Any) {
	for _, d := range details {
		name := d.MessageName()
		switch strings.TrimPrefix(string(name), "google.rpc.") {
		case "BadRequest", "ErrorInfo", "Help", "LocalizedMessage":
			shown = append(shown, d)
		}
	}
	return shown
}

// violation is one thing that is wrong with a request.
type violation struct{ path, problem string }

// String is the path and the problem.
func (v violation) String() string {
	if v.path == "" {
		return v.problem
	}
	return v.path + ": " + v.problem
}

// refuse is INVALID_ARGUMENT with everything that is wrong, nil if nothing is.
func refuse(violations []violation) error {
	if len(violations) == 0 {
		return nil
	}
	var lines []string
	var bad errdetails.BadRequest
	for _, v := range violations {
		lines = append(lines, v.String())
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.path, Description: v.problem})
	}
	st := status.New(codes.InvalidArgument, strings.Join(lines, "\n"))
	if detailed, err := st.WithDetails(&bad); err == nil {
		st = detailed
	}
	return st.Err()
}
