package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// bodyField is where in a request the body belongs.
type bodyField struct {
	// all: the body is the whole request.
	all bool
	// field is the one message of the request that the body is; nil if all, or
	// if there is no body.
	field protoreflect.FieldDescriptor
}

// newBodyField reads the body of a google.api.http rule.
func newBodyField(m protoreflect.MessageDescriptor, body string) (bodyField, error) {
	switch body {
	case "":
		return bodyField{}, nil
	case "*":
		return bodyField{all: true}, nil
	}
	fd := fieldNamed(m, body)
	if fd == nil || fd.Message() == nil || fd.IsList() || fd.IsMap() {
		return bodyField{}, fmt.Errorf("body %q is no message of %s", body, m.Name())
	}
	return bodyField{field: fd}, nil
}

// takes reports whether the body says what fd is.
func (b bodyField) takes(fd protoreflect.FieldDescriptor) bool { return b.all || b.field == fd }

// bind decodes the body of r into m.
func (b bodyField) bind(m protoreflect.Message, r *http.Request) error {
	text, err := readBody(r)
	if err != nil {
		return err
	}
	if len(text) == 0 {
		return nil
	}
	target, path := m, ""
	switch {
	case b.field != nil:
		target, path = m.Mutable(b.field).Message(), b.field.JSONName()
	case !b.all:
		return checkNoBody(text)
	}
	if err := checkType(r.Header); err != nil {
		return err
	}
	if err := CheckValues(text); err != nil {
		return err
	}
	if err := protojson.Unmarshal(text, target.Interface()); err != nil {
		return refuse(diagnose(text, target.Type(), path, err))
	}
	return nil
}

// readBody reads the body, without the space around it.
func readBody(r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, newError(http.StatusRequestEntityTooLarge, codes.InvalidArgument, "the body is larger than %d bytes", large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, newError(http.StatusRequestTimeout, codes.DeadlineExceeded, "the body did not come in time")
	case err != nil:
		return nil, newError(http.StatusBadRequest, codes.InvalidArgument, "read the body: %v", err)
	}
	return bytes.TrimSpace(text), nil
}

// checkNoBody tolerates a body that says nothing where none is expected: some
// clients always send one.
func checkNoBody(text []byte) error {
	switch string(text) {
	case "{}", "null":
		return nil
	}
	return newError(http.StatusBadRequest, codes.InvalidArgument, "this method takes no body")
}

// checkType refuses a body that is not announced as JSON. Curl announces a form
// where it is not told otherwise.
func checkType(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return newError(http.StatusUnsupportedMediaType, codes.InvalidArgument, "Content-Encoding %q is not offered, only identity", e)
	}
	given := h.Get("Content-Type")
	if given == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(given)
	if err == nil && (kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")) {
		if charset := params["charset"]; charset == "" || strings.EqualFold(charset, "utf-8") {
			return nil
		}
	}
	return newError(http.StatusUnsupportedMediaType, codes.InvalidArgument, "Content-Type %q is not offered, only application/json in UTF-8", given)
}
