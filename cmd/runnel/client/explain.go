package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Explain makes an *Error of what a call has returned: the field violations of
// a bad request, each on its line, or what to do about a daemon that does not
// answer. nil stays nil.
func (c *Client) Explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, new(*Error)) {
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	switch code := s.Code(); {
	case code == codes.Unknown || code == codes.Internal:
		if lostConnection(s.Message()) {
			return c.unreachable(errors.New(s.Message()))
		}
	case code == codes.Canceled:
		return &Error{Message: "the daemon has ended the call: it is being stopped", cause: err}
	case code == codes.Unavailable:
		if why := c.refused(); why != nil || lostConnection(s.Message()) {
			return c.unreachable(cmp.Or(why, errors.New(s.Message())))
		}
	case code == codes.Unauthenticated:
		return c.locked(err)
	}
	return &Error{Message: s.Message(), Fields: violations(s), cause: err}
}

// Lost reports whether a call has come to nothing because the daemon went away
// or was not there, so that another one may find it again.
func Lost(err error) bool {
	switch s := status.Convert(err); s.Code() {
	case codes.Unavailable, codes.Canceled:
		return true
	case codes.Unknown, codes.Internal:
		return lostConnection(s.Message())
	}
	return false
}

// lostConnection reports whether a message is gRPC's own about a connection,
// and not a daemon's.
func lostConnection(message string) bool {
	for _, words := range []string{"connection", "error reading from server", "transport", "stream terminated", "malformed header"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// violations are the fields that a request got wrong.
func violations(s *status.Status) (fields []Field) {
	for _, d := range s.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, Field{v.GetField(), v.GetDescription()})
			}
		}
	}
	return fields
}

// unreachable says what to do about a daemon that could not be reached for a
// reason.
func (c *Client) unreachable(why error) error {
	var advice string
	switch socket := c.target.network == "unix"; {
	case socket && errors.Is(why, fs.ErrNotExist):
		advice = fmt.Sprintf("there is no socket %s; is the daemon running? Start it with: sudo runnel serve", c.target.address)
	case socket && errors.Is(why, fs.ErrPermission):
		advice = fmt.Sprintf("no permission for %s; use sudo, or %s", c.target.address, joinGroup(c.target.address))
	case errors.Is(why, syscall.ECONNREFUSED):
		advice = fmt.Sprintf("nobody listens on %s; is the daemon running? Start it with: sudo runnel serve", c.target.address)
	case errors.As(why, new(x509.UnknownAuthorityError)):
		advice = fmt.Sprintf("the certificate of %s is signed by nobody known; name the daemon's own with --ca-file", c.target.host)
	case errors.As(why, new(tls.RecordHeaderError)), errors.Is(why, http.ErrSchemeMismatch):
		advice = fmt.Sprintf("%s does not speak TLS; write http:// instead of https://", c.target.host)
	default:
		advice = fmt.Sprintf("%s: %v", c.target.host, why)
	}
	return &Error{Message: ErrUnreachable.Error() + ": " + advice, cause: errors.Join(ErrUnreachable, why)}
}

// joinGroup says how to become one of those who may use a socket: those of its
// group, unless that is root's, because there was none to give it to.
func joinGroup(socket string) string {
	name := "runnel"
	var st syscall.Stat_t
	switch err := syscall.Stat(socket, &st); {
	case err == nil && st.Gid == 0:
		return "make a group for it and join that: sudo groupadd --system runnel && sudo usermod -aG runnel $USER, then start the daemon anew and log in again"
	case err == nil:
		if g, err := user.LookupGroupId(fmt.Sprint(st.Gid)); err == nil {
			name = g.Name
		}
	}
	return fmt.Sprintf("join the group that owns it: sudo usermod -aG %s $USER, then log in again", name)
}

// locked says what to do about a token that is missing or wrong.
func (c *Client) locked(err error) error {
	if c.target.token == "" {
		return &Error{Message: fmt.Sprintf("%s asks for a token; name its file with --token-file or RUNNEL_TOKEN_FILE (the daemon keeps it as api-token in its root directory)", c.target.host), cause: err}
	}
	return &Error{Message: fmt.Sprintf("%s does not accept the token; the daemon keeps the right one as api-token in its root directory", c.target.host), cause: err}
}

// explainHTTP is Explain for what http.Client returns.
func (c *Client) explainHTTP(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.unreachable(err)
}

// answered makes an error of an answer that is not 200.
func (c *Client) answered(resp *http.Response) error {
	if resp.StatusCode == http.StatusUnauthorized {
		return c.locked(status.Error(codes.Unauthenticated, resp.Status))
	}
	var body struct {
		Error struct {
			Message, Status string
			Details         []struct {
				FieldViolations []struct{ Field, Description string }
			}
		}
	}
	code := codes.Unknown
	if resp.StatusCode == http.StatusNotFound {
		code = codes.NotFound
	}
	const most = 1 << 20
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil || json.Unmarshal(data, &body) != nil || body.Error.Message == "" {
		return &Error{Message: fmt.Sprintf("%s answered %s", c.target.host, resp.Status), cause: status.Error(code, resp.Status)}
	}
	var named codes.Code
	if named.UnmarshalJSON([]byte(strconv.Quote(body.Error.Status))) == nil {
		code = named
	}
	answer := &Error{Message: body.Error.Message, cause: status.Error(code, body.Error.Message)}
	for _, d := range body.Error.Details {
		for _, v := range d.FieldViolations {
			answer.Fields = append(answer.Fields, Field{v.Field, v.Description})
		}
	}
	return answer
}
