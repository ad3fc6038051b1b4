package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/protobuf/encoding/protojson"

	"runnel/api"
	"runnel/contract"
)

// scheduleTarget is what a schedule does when it is due.
type scheduleTarget struct {
	// request is the run that is asked for. The location of its name may be "-".
	request *runpb.RunJobRequest
	policy  contract.ConcurrencyPolicy
}

// onlyJobs says what a schedule may do here.
const onlyJobs = "schedules of this host run Cloud Run jobs and nothing else: want " +
	"https://run.googleapis.com/v2/projects/PROJECT/locations/REGION/jobs/NAME:run"

// readTarget reads what a schedule does. Errors are api.FieldErrors, with paths
// below the schedule.
func (c *Control) readTarget(s *schedulerpb.Job) (t scheduleTarget, err error) {
	wrong := func(path, format string, args ...any) (scheduleTarget, error) {
		return scheduleTarget{}, api.FieldErrors{{Path: path, Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case s.GetPubsubTarget() != nil:
		return wrong("pubsubTarget", "cannot be used: "+onlyJobs)
	case s.GetAppEngineHttpTarget() != nil:
		return wrong("appEngineHttpTarget", "cannot be used: "+onlyJobs)
	case s.GetHttpTarget() == nil:
		return wrong("httpTarget", "is missing: "+onlyJobs)
	}
	target := s.GetHttpTarget()
	if method := target.GetHttpMethod(); method != schedulerpb.HttpMethod_POST {
		return wrong("httpTarget.httpMethod", "%s runs no job: want POST", method)
	}
	name, v1, err := c.jobOf(target.GetUri())
	if err != nil {
		return wrong("httpTarget.uri", "%v", err)
	}
	if t.policy, err = policyOf(target.GetHeaders()); err != nil {
		return wrong("httpTarget.headers", "%v", err)
	}
	if t.request, err = readRun(target.GetBody(), v1); err != nil {
		return wrong("httpTarget.body", "%v", err)
	}
	t.request.Name = name
	return t, nil
}

// policyOf is what the headers say of runs that overlap.
func policyOf(headers map[string]string) (policy contract.ConcurrencyPolicy, err error) {
	policy = contract.AllowConcurrent
	size := 0
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		size += len(name) + len(headers[name])
		if strings.EqualFold(name, contract.ConcurrencyPolicyHeader) {
			if policy, err = contract.ParseConcurrencyPolicy(headers[name]); err != nil {
				return policy, fmt.Errorf("%s: %w", contract.ConcurrencyPolicyHeader, err)
			}
		}
	}
	if size > contract.MaxTargetHeaders {
		return policy, fmt.Errorf("are %d bytes: want at most %d", size, contract.MaxTargetHeaders)
	}
	return policy, nil
}

// jobOf is the job that a URI runs, by its full name, and whether the URI is one
// of v1, where bodies look differently. In v1 the location is "-" where the
// host says nothing of it.
func (c *Control) jobOf(uri string) (name string, v1 bool, err error) {
	if len(uri) > contract.MaxTargetURI {
		return "", false, fmt.Errorf("has %d bytes: want at most %d", len(uri), contract.MaxTargetURI)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", false, fmt.Errorf("%q is not a URL: %s", uri, onlyJobs)
	}
	location, ok := c.hostOf(u.Hostname())
	if !ok {
		return "", false, fmt.Errorf("%q is elsewhere: %s", uri, onlyJobs)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", false, fmt.Errorf("%q has more than a path: %s", uri, onlyJobs)
	}
	const v2Path, v1Path, suffix = "/v2/", "/apis/run.googleapis.com/v1/namespaces/", ":run"
	path, ok := strings.CutSuffix(u.Path, suffix)
	if full, is := strings.CutPrefix(path, v2Path); ok && is {
		n, err := c.parseOne("uri", full, atJob)
		if err == nil && contract.CheckJobName(n.id()) == nil {
			return n.String(), false, nil
		}
	}
	parts := strings.Split(strings.TrimPrefix(path, v1Path), "/")
	if ok && strings.HasPrefix(path, v1Path) && len(parts) == 3 && parts[1] == "jobs" && contract.CheckJobName(parts[2]) == nil {
		n, err := c.parse("uri", "projects/"+parts[0]+"/locations/"+location+"/jobs/"+parts[2], atJob)
		if err == nil && n.project() != anyID {
			return n.String(), true, nil
		}
	}
	return "", false, fmt.Errorf("%q runs no job: %s", uri, onlyJobs)
}

// googleHost is where Google's API is; a region may stand before it.
const googleHost = "run.googleapis.com"

// hostOf reports whether the API is at a host, and which location that says:
// anyID if none.
func (c *Control) hostOf(host string) (location string, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return anyID, true
	}
	for _, own := range append([]string{googleHost, "localhost"}, c.config.Hosts...) {
		own = strings.ToLower(own)
		if host == own {
			return anyID, true
		}
		if before, cut := strings.CutSuffix(host, "-"+own); cut && contract.IsLabel(before) {
			return before, true
		}
	}
	if net.ParseIP(host) == nil && strings.HasSuffix(host, ".localhost") {
		return c.locationBefore(host), true
	}
	return anyID, false
}

// locationBefore is the location that stands before a host below .localhost, if
// it is the daemon's own: of others nobody can tell where they end.
func (c *Control) locationBefore(host string) string {
	if strings.HasPrefix(host, c.config.Region+"-") {
		return c.config.Region
	}
	return anyID
}

// readRun reads the body of a run: that of v2, or that of v1.
func readRun(body []byte, v1 bool) (*runpb.RunJobRequest, error) {
	request := &runpb.RunJobRequest{}
	if strings.TrimSpace(string(body)) == "" {
		return request, nil
	}
	if v1 {
		var err error
		if body, err = withTimeout(body); err != nil {
			return nil, err
		}
	}
	if err := protojson.Unmarshal(body, request); err != nil {
		return nil, fmt.Errorf("is not the body of a run: want JSON such as {\"overrides\": {\"taskCount\": 3}}: %v", plainSpaces(err))
	}
	if request.GetValidateOnly() {
		return nil, fmt.Errorf("validateOnly would run nothing: leave it out")
	}
	return request, nil
}

// plainSpaces is the text of an error of protojson, which has spaces of another
// kind now and then so that nobody relies on it.
func plainSpaces(err error) string { return strings.ReplaceAll(err.Error(), "\u00a0", " ") }

// withTimeout writes the seconds that v1 has for a timeout as v2 does.
func withTimeout(body []byte) ([]byte, error) {
	var object, overrides map[string]json.RawMessage // all of it: what is unknown is to be found
	err := json.Unmarshal(body, &object)
	if text, ok := object["overrides"]; ok && err == nil {
		err = json.Unmarshal(text, &overrides)
	}
	if err != nil {
		return nil, fmt.Errorf("is not the body of a run: want JSON such as {\"overrides\": {\"taskCount\": 3}}: %w", err)
	}
	seconds, ok := overrides["timeoutSeconds"]
	if !ok {
		return body, nil
	}
	delete(overrides, "timeoutSeconds")
	overrides["timeout"], _ = json.Marshal(strings.Trim(string(seconds), `"`) + "s") // never fails
	if object["overrides"], err = json.Marshal(overrides); err != nil {
		return nil, err
	}
	return json.Marshal(object)
}
