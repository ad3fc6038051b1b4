package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// transient tells whether a request that ended so is worth repeating: the
// connection broke or was not made, or the registry says that it is not itself.
func transient(err error) bool {
	if status, ok := errors.AsType[*transport.Error](err); ok {
		return (status.StatusCode == http.StatusTooManyRequests || status.StatusCode >= 500) && patienceFor(err) <= maxRetryAfter
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsTemporary || dns.IsTimeout
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return !errors.Is(err, ErrRefusedHost)
	}
	return isOneOf(err, errBroken, io.ErrUnexpectedEOF, io.EOF, syscall.ECONNRESET, syscall.EPIPE)
}

// explain turns what the transport reports into one of the package's sentinels
// and one line.
func (r *registry) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isOneOf(err, ErrUnauthorized, ErrUnreachable, ErrNotFound, ErrTooLarge, ErrReference, ErrDigest):
		return err
	case errors.Is(err, ErrRefusedHost):
		return refusal(err)
	}
	if status, ok := errors.AsType[*transport.Error](err); ok {
		return r.explainStatus(status, patienceFor(err))
	}
	return fmt.Errorf("%w: %s: %s", ErrUnreachable, r.ref.Registry, reason(err))
}

func (r *registry) explainStatus(status *transport.Error, after time.Duration) error {
	who, said := r.ref.Registry, http.StatusText(status.StatusCode)
	if status.Request != nil {
		who = oneLine(status.Request.URL.Host) // it may be the token server's answer
	}
	if len(status.Errors) > 0 && status.Errors[0].Message != "" {
		said = oneLine(status.Errors[0].Message)
	}
	switch status.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s says %q", ErrUnauthorized, who, said)
	case http.StatusNotFound:
		return fmt.Errorf("%w in %s: it says %q", ErrNotFound, who, said)
	}
	if after > maxRetryAfter {
		return fmt.Errorf("%w: %s answers %d %q, and asks to come back in %v", ErrUnreachable, who, status.StatusCode, said, after.Round(time.Second))
	}
	return fmt.Errorf("%w: %s answers %d %q", ErrUnreachable, who, status.StatusCode, said)
}

// reason digs out the part of a network error that a person needs.
func reason(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "no such host " + dns.Name
		}
		return oneLine("look up " + dns.Name + ": " + dns.Err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return oneLine(op.Err.Error())
	}
	if u, ok := errors.AsType[*url.Error](err); ok && u.Err != nil {
		return oneLine(u.Err.Error())
	}
	return oneLine(err.Error())
}

// refusal strips the layers that net/http put around ErrRefusedHost.
func refusal(err error) error {
	if r, ok := errors.AsType[*refusedError](err); ok {
		return r
	}
	return err
}

func isOneOf(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// oneLine bounds what a stranger can make us print: in length, and to what
// neither moves the cursor nor turns the direction of the text.
func oneLine(s string) string {
	const most = 200
	out := make([]rune, 0, min(len(s), most))
	for _, c := range s {
		if len(out) == most {
			return string(out) + "…"
		}
		if !unicode.IsPrint(c) {
			c = ' '
		}
		out = append(out, c)
	}
	return string(out)
}
