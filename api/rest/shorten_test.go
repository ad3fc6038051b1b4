package rest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"runnel/api/rest"
)

// An error does not say more than anybody reads, however much was wrong.
func TestAnErrorIsNoLargerThanAnybodyReads(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	for name, target := range map[string]string{
		"many parameters":  parent + "/jobs?" + strings.Repeat("a=&", 20000),
		"a long parameter": parent + "/jobs?" + strings.Repeat("b", 60000) + "=1",
		"a long value":     parent + "/jobs?pageSize=" + strings.Repeat("c", 60000),
		"a long path":      parent + "/jobs/" + strings.Repeat("d/", 20000),
	} {
		code, _, text := p.call(t, "GET", target, "")
		if f := parseFailure(t, text); f.Error.Code != code || code < 400 || len(text) > 64<<10 {
			t.Errorf("%s: %d, %d bytes: %.300s", name, code, len(text), text)
		} else if code == 400 && (len(f.Error.Details) != 1 || len(f.Error.Details[0].FieldViolations) == 0) {
			t.Errorf("%s: no field is named: %.300s", name, text)
		}
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	violation := func(field, text string) *errdetails.BadRequest_FieldViolation {
		return &errdetails.BadRequest_FieldViolation{Field: field, Description: text}
	}
	many := &errdetails.BadRequest{}
	for range 1000 {
		many.FieldViolations = append(many.FieldViolations, violation("job.labels", "is wrong"))
	}
	for name, bad := range map[string]*errdetails.BadRequest{
		"many": many,
		"long": {FieldViolations: []*errdetails.BadRequest_FieldViolation{violation("job.labels", strings.Repeat("ä", 10000)), violation(strings.Repeat("ä", 10001), "")}},
	} {
		st, err := status.New(codes.InvalidArgument, strings.Repeat("ö", 5000)).WithDetails(bad)
		if err != nil {
			t.Fatal(err)
		}
		const most = 4001
		got := rest.Shorten(st, most)
		if size := proto.Size(got.Proto()); size > 2*most+64 || got.Code() != codes.InvalidArgument {
			t.Errorf("%s: %v, %d bytes", name, got.Code(), size)
		}
		if m := got.Message(); len(m) > most || !strings.HasSuffix(m, "...") || !utf8.ValidString(m) {
			t.Errorf("%s: message of %d bytes: %.20q", name, len(m), m)
		}
		details := got.Details()
		if len(details) != 1 {
			t.Fatalf("%s: details %.300v", name, details)
		}
		if first := details[0].(*errdetails.BadRequest).GetFieldViolations()[0]; first.GetField() != "job.labels" || !utf8.ValidString(first.GetDescription()) {
			t.Errorf("%s: first %.300v", name, first)
		}
	}
	small := status.New(codes.NotFound, "not there")
	if got := rest.Shorten(small, 100); got != small {
		t.Errorf("a small one became %v", got)
	}
}
