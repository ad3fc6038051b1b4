package rest_test

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
)

func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	const jobs = parent + "/jobs"
	for _, tt := range []struct {
		verb, target, body string
		code               int
		status             string
		// field is the path of the first violation, want a part of the message.
		field, want string
	}{
		{"GET", "/v2/nothing", "", 404, "NOT_FOUND", "", "nothing is served at /v2/nothing"},
		{"GET", "/", "", 404, "NOT_FOUND", "", "/"},
		{"GET", jobs + "/j/", "", 404, "NOT_FOUND", "", ""},
		{"POST", jobs + "/j:walk", "{}", 404, "NOT_FOUND", "", ""},
		{"GET", parent + "/operations/o", "", 404, "NOT_FOUND", "", ""},
		{"PUT", jobs + "/j", "{}", 405, "UNIMPLEMENTED", "", "only DELETE, GET, PATCH"},
		{"GET", jobs + "/j:run", "", 405, "UNIMPLEMENTED", "", "only POST"},

		{"GET", jobs + "?bogus=1", "", 400, "INVALID_ARGUMENT", "bogus", `ListJobsRequest has no field "bogus"`},
		{"GET", jobs + "?pageSize=many", "", 400, "INVALID_ARGUMENT", "pageSize", `"many" is not a whole number`},
		{"GET", jobs + "?pageSize=2147483648", "", 400, "INVALID_ARGUMENT", "pageSize", "in range"},
		{"GET", jobs + "?pageSize=", "", 400, "INVALID_ARGUMENT", "pageSize", ""},
		{"GET", jobs + "?pageSize=1&page_size=2", "", 400, "INVALID_ARGUMENT", "page_size", "twice"},
		{"GET", jobs + "?showDeleted=perhaps", "", 400, "INVALID_ARGUMENT", "showDeleted", "true or false"},
		{"GET", jobs + "?parent=projects/x", "", 400, "INVALID_ARGUMENT", "parent", "the path"},
		{"GET", jobs + "?pageToken=%ff", "", 400, "INVALID_ARGUMENT", "pageToken", "UTF-8"},
		{"GET", jobs + "?pageToken=%zz", "", 400, "INVALID_ARGUMENT", "pageToken", "escape"},
		{"GET", jobs + "?%zz=1", "", 400, "INVALID_ARGUMENT", "%zz", "escape"},
		{"GET", jobs + "?alt=proto", "", 400, "INVALID_ARGUMENT", "alt", "json"},
		{"GET", jobs + "/%ff", "", 400, "INVALID_ARGUMENT", "name", "UTF-8"},
		{"GET", jobs + "/j:getIamPolicy?options=1", "", 400, "INVALID_ARGUMENT", "options", "belongs into the body"},
		{"GET", jobs + "/j:getIamPolicy?options.bogus=1", "", 400, "INVALID_ARGUMENT", "options.bogus", `options has no field "bogus"`},
		{"GET", jobs + "/j:getIamPolicy?resource.x=1", "", 400, "INVALID_ARGUMENT", "resource.x", `no field "x"`},
		{"POST", jobs + "?job.labels=1", "{}", 400, "INVALID_ARGUMENT", "job.labels", "body"},
		{"POST", jobs + "?job.name=1", "{}", 400, "INVALID_ARGUMENT", "job.name", "body"},
		{"POST", jobs + "/j:run?etag=1", "{}", 400, "INVALID_ARGUMENT", "etag", "body"},

		{"POST", jobs, `{"bogus":1}`, 400, "INVALID_ARGUMENT", "job.bogus", `job has no field "bogus"`},
		{"POST", jobs, `{"template":{"template":{"containers":[{"image":"i"},{"imge":"i"}]}}}`, 400, "INVALID_ARGUMENT",
			"job.template.template.containers[1].imge", `job.template.template.containers[1] has no field "imge"`},
		{"POST", jobs + "/j:run", `{"overides":{}}`, 400, "INVALID_ARGUMENT", "overides", `the body has no field "overides"`},
		{"POST", jobs, `{"template":{"taskCount":"three"}}`, 400, "INVALID_ARGUMENT", "job.template.taskCount", "three"},
		{"POST", jobs, `{"template":{"taskCount":1.5}}`, 400, "INVALID_ARGUMENT", "job.template.taskCount", "1.5"},
		{"POST", jobs, `{"template":{"template":{"timeout":"10m"}}}`, 400, "INVALID_ARGUMENT", "job.template.template.timeout", "10m"},
		{"POST", jobs, `{"template":[]}`, 400, "INVALID_ARGUMENT", "job.template", "not an object"},
		{"POST", jobs, `{"template":{"template":{"containers":{}}}}`, 400, "INVALID_ARGUMENT", "job.template.template.containers", "not a list"},
		{"POST", jobs, `{"labels":{"a":1}}`, 400, "INVALID_ARGUMENT", "job.labels", "1"},
		{"POST", jobs, `{"launchStage":"SOON"}`, 400, "INVALID_ARGUMENT", "job.launchStage", "SOON"},
		{"POST", jobs, `{"createTime":"yesterday"}`, 400, "INVALID_ARGUMENT", "job.createTime", "yesterday"},
		{"POST", jobs, `{"template":{},"template":{}}`, 400, "INVALID_ARGUMENT", "job", "duplicate"},
		{"POST", jobs, `{"startExecutionToken":"a","runExecutionToken":"b"}`, 400, "INVALID_ARGUMENT", "job", "oneof"},
		{"POST", jobs, "{\n\"a\": }", 400, "INVALID_ARGUMENT", "job", "not JSON: line 2"},
		{"POST", jobs, `{"a":1} {}`, 400, "INVALID_ARGUMENT", "job", "not JSON"},
		{"POST", jobs, `{},"parent":"x"`, 400, "INVALID_ARGUMENT", "job", "not JSON"},
		{"POST", jobs, `[]`, 400, "INVALID_ARGUMENT", "job", "not an object"},
		{"POST", jobs, `null`, 400, "INVALID_ARGUMENT", "job", "not an object"},
		{"POST", jobs, strings.Repeat("[", 15000), 400, "INVALID_ARGUMENT", "job", ""},
		{"POST", jobs, `{"labels":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, "INVALID_ARGUMENT", "", "larger than 1048576 bytes"},
		{"DELETE", jobs + "/j", `{"etag":"x"}`, 400, "INVALID_ARGUMENT", "", "no body"},
	} {
		code, header, text := p.call(t, tt.verb, tt.target, tt.body)
		f := parseFailure(t, text)
		field := ""
		if len(f.Error.Details) == 1 && f.Error.Details[0].Type == "type.googleapis.com/google.rpc.BadRequest" {
			field = f.Error.Details[0].FieldViolations[0].Field
		}
		if code != tt.code || f.Error.Code != code || f.Error.Status != tt.status || field != tt.field ||
			!strings.Contains(f.Error.Message, tt.want) || p.in != nil {
			t.Errorf("%s %s %.80s: %d %.500s, want %d %s %q %q", tt.verb, tt.target, tt.body, code, text, tt.code, tt.status, tt.field, tt.want)
		}
		if strings.Contains(f.Error.Message, "proto:") {
			t.Errorf("%s: names the library", text)
		}
		if (code == 405) != (header.Get("Allow") != "") {
			t.Errorf("%s %s: Allow: %q", tt.verb, tt.target, header.Get("Allow"))
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	for _, tt := range []struct {
		header, value string
		code          int
	}{
		{"Content-Type", "application/json", 200},
		{"Content-Type", "application/json; charset=UTF-8", 200},
		{"Content-Type", "application/vnd.api+json;charset=utf8-nonsense", 415},
		{"Content-Type", "application/problem+json", 200},
		{"Content-Type", "", 200},
		{"Content-Type", "application/x-www-form-urlencoded", 415},
		{"Content-Type", "text/plain", 415},
		{"Content-Type", "application/json; charset=latin1", 415},
		{"Content-Type", ";;;", 415},
		{"Content-Encoding", "gzip", 415},
		{"Content-Encoding", "identity", 200},
	} {
		code, _, text := p.call(t, "POST", parent+"/jobs", "{}", tt.header, tt.value)
		if code != tt.code {
			t.Errorf("%s %s: %d %s, want %d", tt.header, tt.value, code, text, tt.code)
		}
	}
	// What says nothing needs no name.
	if code, _, text := p.call(t, "POST", parent+"/jobs", "", "Content-Type", "text/plain"); code != 200 {
		t.Errorf("no body, of type text/plain: %d %s", code, text)
	}
}

func TestErrorsOfServices(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	for c, want := range map[codes.Code]struct {
		code   int
		status string
	}{
		codes.Canceled:           {499, "CANCELLED"},
		codes.Unknown:            {500, "UNKNOWN"},
		codes.InvalidArgument:    {400, "INVALID_ARGUMENT"},
		codes.DeadlineExceeded:   {504, "DEADLINE_EXCEEDED"},
		codes.NotFound:           {404, "NOT_FOUND"},
		codes.AlreadyExists:      {409, "ALREADY_EXISTS"},
		codes.PermissionDenied:   {403, "PERMISSION_DENIED"},
		codes.ResourceExhausted:  {429, "RESOURCE_EXHAUSTED"},
		codes.FailedPrecondition: {400, "FAILED_PRECONDITION"},
		codes.Aborted:            {409, "ABORTED"},
		codes.OutOfRange:         {400, "OUT_OF_RANGE"},
		codes.Unimplemented:      {501, "UNIMPLEMENTED"},
		codes.Internal:           {500, "INTERNAL"},
		codes.Unavailable:        {503, "UNAVAILABLE"},
		codes.DataLoss:           {500, "DATA_LOSS"},
		codes.Unauthenticated:    {401, "UNAUTHENTICATED"},
	} {
		p.err = status.Errorf(c, "as %q said", c)
		code, _, text := p.call(t, "GET", parent+"/jobs/j", "")
		f := parseFailure(t, text)
		if code != want.code || rest.HTTPStatus(c) != code || f.Error.Code != code || f.Error.Status != want.status || !strings.Contains(f.Error.Message, "said") {
			t.Errorf("%v: %d %s, want %+v", c, code, text, want)
		}
	}
}

// Clients drop all details of an error if they do not know one of them.
func TestOnlyKnownDetailsAreShown(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	st, err := status.New(codes.InvalidArgument, "x").WithDetails(
		&errdetails.DebugInfo{Detail: "secret"},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "a.b", Description: "d"}}},
		&errdetails.ErrorInfo{Reason: "R", Domain: "run.googleapis.com"},
	)
	if err != nil {
		t.Fatal(err)
	}
	p.err = st.Err()
	_, _, text := p.call(t, "GET", parent+"/jobs/j", "")
	d := parseFailure(t, text).Error.Details
	if len(d) != 2 || d[0].FieldViolations[0].Field != "a.b" || d[1].Reason != "R" || strings.Contains(text, "secret") {
		t.Errorf("%s", text)
	}
}
