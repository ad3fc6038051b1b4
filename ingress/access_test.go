package ingress

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// locked is a world with a private service, that good opens to ann, and what the
// service was sent last.
func locked(t *testing.T) (*world, *Route, func() http.Header) {
	seen := make(chan http.Header, 1)
	w := newWorld(t, Config{Verify: func(token string, audiences []string) (string, error) {
		switch {
		case !slices.Contains(audiences, "https://hello.run.localhost"), !strings.HasSuffix(token, ".good"):
			return "", ErrToken
		case strings.HasPrefix(token, "bob"):
			return "bob@example.test", nil
		}
		return "ann@example.test", nil
	}}, ListenerConfig{})
	r := public(poolOf(app(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() })))
	r.Access = Access{Allows: func(email string) bool { return email == "ann@example.test" }}
	w.Set(r)
	return w, r, func() http.Header {
		select {
		case h := <-seen:
			return h
		case <-time.After(10 * time.Second):
			t.Fatal("the service was not asked")
			return nil
		}
	}
}

const forbiddenPage = `
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>403 Forbidden</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: Forbidden</h1>
<h2>Your client does not have permission to get URL <code>/a&amp;b</code> from this server.</h2>
<h2></h2>
</body></html>
`

const unauthorizedPage = `
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>401 Unauthorized</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: Unauthorized</h1>
<h2>Your client does not have permission to the requested URL <code>/a&amp;b</code>.</h2>
<h2></h2>
</body></html>
`

// contract: AUTH-1, AUTH-2, ERR-401, ERR-403
func TestWhoMayNotCallIsRefused(t *testing.T) {
	t.Parallel()
	w, _, _ := locked(t)
	challenge := `Bearer error="invalid_token" error_description="The access token could not be verified"`
	for i, c := range []struct {
		name   string
		header []string
		status int
		page   string
	}{
		{"no credential", nil, 403, forbiddenPage},
		{"no permission", []string{"Authorization", "Bearer bob.b.good"}, 403, forbiddenPage},
		{"garbage", []string{"Authorization", "Bearer garbage"}, 401, unauthorizedPage},
		{"another scheme", []string{"Authorization", "Basic YTpi"}, 401, unauthorizedPage},
		{"an empty one", []string{"Authorization", "Bearer "}, 401, unauthorizedPage},
		{"two", []string{"Authorization", "Bearer ann.b.good", "Authorization", "Bearer ann.b.good"}, 401, unauthorizedPage},
		{"the header that wins is bad", []string{"Authorization", "Bearer ann.b.good", "X-Serverless-Authorization", "Bearer x"}, 401, unauthorizedPage},
	} {
		got := w.get(t, "/a&b?c=d", c.header...)
		if got.status != c.status || got.body != c.page || got.header.Get("Content-Type") != "text/html; charset=UTF-8" {
			t.Errorf("%s: %d %v\n%s", c.name, got.status, got.header, got.body)
		}
		if have := got.header.Get("WWW-Authenticate"); (have == challenge) != (c.status == 401) {
			t.Errorf("%s: WWW-Authenticate: %q", c.name, have)
		}
		if e := w.last(t, i+1); e.Status != c.status || e.Severity != "WARNING" || e.Text != "The request was not authorized to invoke this service." {
			t.Errorf("%s: recorded %+v", c.name, e)
		}
	}
}

// contract: AUTH-3, AUTH-7, NET-13, NET-14
func TestWhatAServiceSeesOfACredential(t *testing.T) {
	t.Parallel()
	w, r, seen := locked(t)
	open := *r
	open.Access = Access{Public: true}
	for _, c := range []struct {
		name   string
		route  *Route
		header []string
		want   string
	}{
		{"its signature is taken off", r, []string{"Authorization", "bearer ann.b.good"}, "Bearer ann.b.SIGNATURE_REMOVED_BY_GOOGLE"},
		{"that of the caller passes where the platform has its own", r,
			[]string{"Authorization", "Basic own", "X-Serverless-Authorization", "Bearer ann.b.good"}, "Basic own"},
		{"a public service gets all", &open, []string{"Authorization", "Bearer garbage"}, "Bearer garbage"},
		{"but what is for the platform", &open, []string{"X-Serverless-Authorization", "Bearer garbage"}, ""},
		{"and needs none", &open, nil, ""},
	} {
		w.Set(c.route)
		if got := w.get(t, "/", c.header...); got.status != 200 {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		h := seen()
		if got := h.Get("Authorization"); got != c.want || h.Get("X-Serverless-Authorization") != "" {
			t.Errorf("%s: the service sees %q and %q", c.name, got, h["X-Serverless-Authorization"])
		}
	}
}

// contract: AUTH-4
func TestAudiences(t *testing.T) {
	t.Parallel()
	x := &exchange{
		r: &http.Request{Host: "tag---hello.run.localhost:8443"}, peer: &peer{port: "8080"}, host: "tag---hello.run.localhost",
		entry: &entry{route: &Route{
			Hosts:  []string{"hello.run.localhost", "*.example.test"},
			Access: Access{Audiences: []string{"my-own"}},
		}},
	}
	got := x.audiences()
	for _, want := range []string{
		"my-own",
		"http://hello.run.localhost:8080", "https://hello.run.localhost/", "https://hello.run.localhost:8443/",
		"http://tag---hello.run.localhost:8080/", "https://tag---hello.run.localhost",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %v", want, got)
		}
	}
	if i := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, "*") || strings.Contains(s, "evil") }); i >= 0 {
		t.Errorf("%s is good", got[i])
	}
}
