package source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	"runnel/control"
)

// What uploads may cost.
const (
	// maxBytes is the size of one, and of what it inflates to: 4 GiB.
	maxBytes = 4 << 30
	// maxUploads is how many there are at once. More are refused.
	maxUploads = 8
	// maxTime is how long one may take, with fetching its base image.
	maxTime = time.Hour
)

// handler takes uploads.
type handler struct {
	control *control.Control
	// slots holds a place for each upload under way.
	slots chan struct{}
	// most is maxBytes, but in tests.
	most int64
}

// NewHandler takes uploads to Path for c. Their bodies must not be bounded before
// it, and a read of one has to end by itself where nothing comes.
func NewHandler(c *control.Control) http.Handler { return newHandler(c, maxBytes, maxUploads) }

// newHandler is NewHandler with bounds of its own.
func newHandler(c *control.Control, most int64, uploads int) http.Handler {
	return &handler{control: c, slots: make(chan struct{}, uploads), most: most}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		rest.WriteError(w, status.Errorf(codes.ResourceExhausted, "%d uploads are under way: try again", cap(h.slots)))
		return
	}
	reference, err := h.upload(r)
	if err != nil {
		rest.WriteError(w, h.explain(err))
		return
	}
	data, err := json.Marshal(Answer{Image: reference})
	if err != nil {
		rest.WriteError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(append(data, '\n')) // the client may have gone
}

// upload reads the parameters and hands the body on.
func (h *handler) upload(r *http.Request) (string, error) {
	q, err := parameters(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	if r.ContentLength > h.most {
		return "", status.Errorf(codes.OutOfRange, "the body has %d bytes", r.ContentLength)
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	return h.control.Upload(ctx, control.Upload{Base: q.Get("base"), Name: q.Get("name"), Body: body{r.Body}, MaxBytes: h.most})
}

// parameters reads a query and refuses what nobody would look at.
func parameters(query string) (url.Values, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the query cannot be read: %v", err)
	}
	for name, values := range q {
		switch {
		case !slices.Contains([]string{"base", "name", "alt", "prettyPrint"}, name):
			return nil, status.Errorf(codes.InvalidArgument, "%s: there is no such parameter: want base or name", name)
		case len(values) > 1:
			return nil, status.Errorf(codes.InvalidArgument, "%s: it is there twice", name)
		case name == "base" && values[0] == "":
			return nil, status.Error(codes.InvalidArgument, "base: want an image, such as debian:stable-slim; leave it out to send an archive of an image")
		}
	}
	return q, nil
}

// body is what a client sends. Where that is not even a body, it is the client
// who is wrong.
type body struct{ io.Reader }

// Read implements io.Reader.
func (b body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil || errors.As(err, new(interface{ GRPCStatus() *status.Status })) {
		return n, err
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return n, err
		}
	}
	return n, status.Errorf(codes.InvalidArgument, "the body cannot be read: %v", err)
}

// explain gives what is too large the status that HTTP has for it.
func (h *handler) explain(err error) error {
	if status.Code(err) != codes.OutOfRange || errors.As(err, new(*rest.Error)) {
		return err
	}
	said := status.Convert(err).Message()
	return &rest.Error{
		Code:   http.StatusRequestEntityTooLarge,
		Status: status.Newf(codes.OutOfRange, "an upload may have %d bytes, and inflate to as many: %s", h.most, said),
	}
}
