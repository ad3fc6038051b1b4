package forward

import "errors"

// Why there is no answer, or only the beginning of one.
var (
	// ErrUnreachable: the instance takes no connection. Nothing was sent to it.
	ErrUnreachable = errors.New("instance takes no connection")
	// ErrMalformed: the answer cannot be read in exactly one way, or the
	// connection to the instance broke.
	ErrMalformed = errors.New("malformed response, or the connection to the instance broke")
	// ErrTooLarge: the answer is larger than one over HTTP/1 may be.
	ErrTooLarge = errors.New("response is too large for HTTP/1")
	// ErrBadRequest: the request cannot be written so that every server reads
	// the same, or its body cannot be read; then it wraps why.
	ErrBadRequest = errors.New("request cannot be forwarded")
)
