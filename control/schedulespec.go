package control

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
	"runnel/contract"
	"runnel/scheduler/timetable"
)

// wantedSchedule is the part of a schedule that a client may set. It shares what
// it has with the schedule.
func wantedSchedule(s *schedulerpb.Job) *schedulerpb.Job {
	return &schedulerpb.Job{
		Description:     s.GetDescription(),
		Target:          s.GetTarget(),
		Schedule:        s.GetSchedule(),
		TimeZone:        s.GetTimeZone(),
		RetryConfig:     s.GetRetryConfig(),
		AttemptDeadline: s.GetAttemptDeadline(),
	}
}

// completeSchedule fills in what a schedule leaves out, and checks it.
func (c *Control) completeSchedule(s *schedulerpb.Job, request string) error {
	defaultSchedule(s)
	var wrong api.FieldErrors
	add := func(path, format string, args ...any) {
		wrong = append(wrong, api.FieldError{Path: "job." + path, Message: fmt.Sprintf(format, args...)})
	}
	if n := utf8.RuneCountInString(s.GetDescription()); n > contract.MaxScheduleDescription {
		add("description", "has %d characters: want at most %d", n, contract.MaxScheduleDescription)
	}
	if _, err := c.readTarget(s); err != nil {
		var found api.FieldErrors
		errors.As(err, &found)
		wrong = append(wrong, found.WithPaths(func(path string) string { return "job." + path })...)
	}
	checkRequest(s.GetHttpTarget(), add)
	if zone, err := timetable.Zone(s.GetTimeZone()); err != nil {
		add("timeZone", "%v", err)
	} else if table, err := timetable.Parse(s.GetSchedule(), zone); err != nil {
		add("schedule", "%v", err)
	} else if s.GetState() != schedulerpb.Job_PAUSED && table.Next(c.config.Now()).IsZero() {
		add("schedule", "%q never comes: want one that does, or create the schedule paused", s.GetSchedule())
	}
	if d := s.GetAttemptDeadline().AsDuration(); s.GetAttemptDeadline().CheckValid() != nil {
		add("attemptDeadline", "is not a length of time")
	} else if d < contract.MinAttemptDeadline || d > contract.MaxAttemptDeadline {
		add("attemptDeadline", "%v is not within %v and %v", d, contract.MinAttemptDeadline, contract.MaxAttemptDeadline)
	}
	checkRetryConfig(s.GetRetryConfig(), add)
	if _, err := proto.Marshal(s); err != nil {
		add("", "holds text that is not UTF-8")
	}
	if len(wrong) > 0 {
		return invalid(request, wrong)
	}
	return nil
}

// defaultSchedule fills in what a schedule leaves out.
// Source: Cloud Scheduler API v1, Job, HttpTarget and RetryConfig.
func defaultSchedule(s *schedulerpb.Job) {
	if s.TimeZone == "" {
		s.TimeZone = timetable.DefaultZone
	}
	if target := s.GetHttpTarget(); target != nil {
		if target.HttpMethod == schedulerpb.HttpMethod_HTTP_METHOD_UNSPECIFIED {
			target.HttpMethod = schedulerpb.HttpMethod_POST
		}
		// A mask that clears each part of a token leaves an empty one.
		oauth, oidc := target.GetOauthToken(), target.GetOidcToken()
		if proto.Equal(oauth, &schedulerpb.OAuthToken{}) || proto.Equal(oidc, &schedulerpb.OidcToken{}) {
			target.AuthorizationHeader = nil
		}
	}
	if s.AttemptDeadline.AsDuration() == 0 {
		s.AttemptDeadline = durationpb.New(contract.DefaultAttemptDeadline)
	}
	if s.RetryConfig == nil {
		s.RetryConfig = &schedulerpb.RetryConfig{}
	}
	retry := s.RetryConfig
	for _, f := range []struct {
		field **durationpb.Duration
		value time.Duration
	}{
		{&retry.MaxRetryDuration, 0},
		{&retry.MinBackoffDuration, contract.DefaultMinBackoff},
		{&retry.MaxBackoffDuration, contract.DefaultMaxBackoff},
	} {
		if *f.field == nil {
			*f.field = durationpb.New(f.value)
		}
	}
	if retry.MaxDoublings == 0 {
		retry.MaxDoublings = contract.DefaultScheduleDoublings
	}
}

// checkRequest checks on whose behalf a schedule runs, and the names of headers.
func checkRequest(t *schedulerpb.HttpTarget, add func(path, format string, args ...any)) {
	const want = "%q is not an email address: want that of a service account"
	if token := t.GetOauthToken(); token != nil && !strings.Contains(token.GetServiceAccountEmail(), "@") {
		add("httpTarget.oauthToken.serviceAccountEmail", want, token.GetServiceAccountEmail())
	}
	if token := t.GetOidcToken(); token != nil && !strings.Contains(token.GetServiceAccountEmail(), "@") {
		add("httpTarget.oidcToken.serviceAccountEmail", want, token.GetServiceAccountEmail())
	}
	for _, name := range slices.Sorted(maps.Keys(t.GetHeaders())) {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
			add("httpTarget.headers", "%q is not the name of a header", name)
		}
	}
}

// checkRetryConfig checks what is kept for Cloud Scheduler's sake: a run here is
// a call that needs no retry.
func checkRetryConfig(r *schedulerpb.RetryConfig, add func(path, format string, args ...any)) {
	if n := r.GetRetryCount(); n < 0 || n > contract.MaxScheduleRetries {
		add("retryConfig.retryCount", "%d is not within 0 and %d", n, contract.MaxScheduleRetries)
	}
	if r.GetMaxDoublings() < 0 {
		add("retryConfig.maxDoublings", "%d is less than 0", r.GetMaxDoublings())
	}
	for _, f := range []struct {
		path string
		d    *durationpb.Duration
	}{
		{"maxRetryDuration", r.GetMaxRetryDuration()},
		{"minBackoffDuration", r.GetMinBackoffDuration()},
		{"maxBackoffDuration", r.GetMaxBackoffDuration()},
	} {
		if f.d.CheckValid() != nil || f.d.AsDuration() < 0 {
			add("retryConfig."+f.path, "is not a length of time")
		}
	}
}

// actsFor is on whose behalf a schedule runs its job.
func actsFor(s *schedulerpb.Job) string {
	t := s.GetHttpTarget()
	for _, email := range []string{t.GetOauthToken().GetServiceAccountEmail(), t.GetOidcToken().GetServiceAccountEmail()} {
		if email != "" {
			return email
		}
	}
	return Administrator
}

// tableOf is a stored schedule's timetable; nil if it has none any more, as where
// the host has lost a time zone.
func tableOf(s *schedulerpb.Job) *timetable.Timetable {
	zone, err := timetable.Zone(s.GetTimeZone())
	if err != nil {
		return nil
	}
	table, err := timetable.Parse(s.GetSchedule(), zone)
	if err != nil {
		return nil
	}
	return table
}
