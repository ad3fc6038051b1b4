package contract

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// at is what is answered to a request for a URL, through the daemon's ingress.
func (s *ownService) at(uri string) rig.Answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, uri, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.started(func() rig.Answer { return rig.Do(s.Requests(), r) })
}

// contract: URL-1
func TestURL1ServicesHaveTheirURLs(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys().Exits(0)
	port := s.Ingress[strings.LastIndexByte(s.Ingress, ':'):]
	short, long := "http://"+s.name+".run.localhost"+port, "http://"+s.name+"-123456789012.us-central1.run.localhost"+port
	v := s.is()
	if all := slices.Sorted(slices.Values(v.GetUrls())); v.GetUri() != short || !slices.Equal(all, slices.Sorted(slices.Values([]string{short, long}))) {
		t.Errorf("it is at %s and %q, want %s and %s", v.GetUri(), all, short, long)
	}
	s.at(short).Is(s.Host, 200, s.name)
	s.at(long).Is(s.Host, 200, s.name)

	far := serviceOf(t, s.Daemon, "far")
	far.place = "projects/local/locations/mars"
	far.locked()
	if v, want := far.is(), "http://"+far.name+"-123456789012.mars.run.localhost"+port; v.GetUri() != want || !slices.Equal(v.GetUrls(), []string{want}) {
		t.Errorf("elsewhere it is at %s and %q, want %s", v.GetUri(), v.GetUrls(), want)
	}
	s.at("http://"+far.name+".run.localhost"+port).Is(s.Host, 404)
}

// contract: URL-2
func TestURL2DefaultURLCanBeDisabled(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys("--tag", "next").Exits(0)
	all := s.is().GetUrls()
	for _, c := range []struct {
		flag string
		code int
	}{{"--default-url", 200}, {"--no-default-url", 404}, {"--default-url", 200}} {
		s.verb("update", c.flag).Exits(0)
		for _, uri := range all {
			s.at(uri).Is(s.Host, c.code)
			s.at(strings.Replace(uri, "http://", "http://next---", 1)).Is(s.Host, c.code)
		}
		if v := s.is(); (v.GetUri() == "") != (c.code == 404) || v.GetDefaultUriDisabled() != (c.code == 404) {
			t.Errorf("%s: it is at %q", c.flag, v.GetUri())
		}
	}
}

// contract: ING-1
func TestING1IngressSaysFromWhereRequestsMayCome(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.locked()
	uri := s.is().GetUri()
	mine := s.admin(uri)
	inside := serviceOf(t, s.Daemon, "inside")
	inside.starts().Exits(0)
	within := func(audience string) (status int) {
		t.Helper()
		var a struct{ Status int }
		query := url.Values{"url": {uri}, "audience": {audience}}
		inside.asked("/fetch?"+query.Encode()).Is(s.Host, 200).Decode(s.Host, &a)
		return a.Status
	}
	s.verb("add-iam-policy-binding", "--member", "serviceAccount:default@local.iam.gserviceaccount.com", "--role", "roles/run.invoker").Exits(0)
	for _, c := range []struct {
		ingress      string
		out, outside int // without a credential, and with one
		in, inside   int
	}{
		{"INGRESS_TRAFFIC_ALL", 403, 200, 403, 200},
		{"INGRESS_TRAFFIC_INTERNAL_ONLY", 404, 404, 403, 200},
		{"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", 404, 404, 403, 200},
		{"INGRESS_TRAFFIC_NONE", 404, 404, 404, 404},
	} {
		s.call(http.MethodPatch, "?updateMask=ingress", `{"ingress":"`+c.ingress+`"}`).Is(s.Host, 200)
		s.ready()
		got := []int{s.asked("/").Code, s.asked("/", mine...).Code, within(""), within(uri)}
		if want := []int{c.out, c.outside, c.in, c.inside}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.ingress, got, want)
		}
		if c.out == 404 {
			isPage(s.Host, s.asked("/a&b"), 404, unknown)
		}
	}
}
