package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// failure is the body of an error.
type failure struct {
	Error failureError `json:"error"`
}

type failureError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Status  string          `json:"status"`
	Details json.RawMessage `json:"details,omitempty"`
}

// WriteError answers with err: its HTTP status, and the body that Google's APIs
// have for it.
func WriteError(w http.ResponseWriter, err error) {
	var e *Error
	if errors.As(err, &e) && e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	code, st := explain(err)
	st = Shorten(st, maxError)
	body, err := json.MarshalIndent(failure{failureError{code, st.Message(), codeName(st.Code()), detailsOf(st.Proto())}}, "", "  ")
	if err != nil {
		body = []byte(`{"error": {"code": 500, "status": "INTERNAL"}}`)
		code = http.StatusInternalServerError
	}
	write(w, code, body)
}

// detailsOf is the list of the details that are shown, nil if there are none.
func detailsOf(st *spb.Status) json.RawMessage {
	shown := showable(st.GetDetails())
	if len(shown) == 0 {
		return nil
	}
	// A list of Any has no encoder of its own: a status with only these has.
	text, err := protojson.Marshal(&spb.Status{Details: shown})
	var fields struct {
		Details json.RawMessage `json:"details"`
	}
	if err != nil || json.Unmarshal(text, &fields) != nil {
		return nil
	}
	return fields.Details
}

// writeMessage answers with m.
func writeMessage(w http.ResponseWriter, m proto.Message, o options) {
	text, err := protojson.MarshalOptions{UseEnumNumbers: o.numbers}.Marshal(m)
	if err != nil {
		WriteError(w, err)
		return
	}
	// The space that protojson leaves differs from build to build.
	var even bytes.Buffer
	if o.compact {
		err = json.Compact(&even, text)
	} else {
		err = json.Indent(&even, text, "", "  ")
	}
	if err != nil {
		WriteError(w, err)
		return
	}
	write(w, http.StatusOK, even.Bytes())
}

// write sends a body of JSON and a line's end.
func write(w http.ResponseWriter, code int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a client that has gone needs no answer
}
