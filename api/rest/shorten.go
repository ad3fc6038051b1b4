package rest

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxError bounds an error's message, and its details, in bytes. Errors repeat
// what the caller has sent, which may be megabytes.
const maxError = 16 << 10

// Shorten returns st with a message of at most so many bytes, and with details
// that come to about as many at most: the first violations of a bad request
// stay.
func Shorten(st *status.Status, most int) *status.Status {
	p := st.Proto()
	if proto.Size(p) <= most {
		return st
	}
	p.Message = cut(p.GetMessage(), most)
	details := p.GetDetails()
	p.Details = nil
	left := most
	for _, d := range details {
		if bad := new(errdetails.BadRequest); d.UnmarshalTo(bad) == nil {
			shortenViolations(bad, left)
			d = packed(bad, d)
		}
		if left -= proto.Size(d); left >= 0 {
			p.Details = append(p.Details, d)
		}
	}
	return status.FromProto(p)
}

// typeURL is about what the name of a message's type takes beside it, in bytes.
const typeURL = 64

// shortenViolations leaves of bad what takes at most so many bytes.
func shortenViolations(bad *errdetails.BadRequest, most int) {
	most -= typeURL
	for i, v := range bad.GetFieldViolations() {
		v.Field, v.Description = cut(v.GetField(), most/4), cut(v.GetDescription(), most/4)
		const tags = 16
		if most -= proto.Size(v) + tags; most < 0 {
			bad.FieldViolations = bad.FieldViolations[:i]
			return
		}
	}
}

// packed is m in the form of details, or instead if it has none.
func packed(m proto.Message, instead *anypb.Any) *anypb.Any {
	d, err := anypb.New(m)
	if err != nil {
		return instead
	}
	return d
}

// cut is the beginning of a text, of at most so many bytes.
func cut(text string, most int) string {
	const more = "..."
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:max(0, most-len(more))], "") + more
}
