package control

import (
	"slices"
	"testing"
)

// contract: URL-1, TAG-1
func TestHostsOfAService(t *testing.T) {
	t.Parallel()
	c := New(Config{
		Project: "local", ProjectNumber: "123", Region: "us-central1",
		Domain: "run.localhost", MoreDomains: []string{"run.internal"},
		Domains: map[string]string{
			"www.example.com": "hello",
			"*.example.org":   "projects/local/locations/us-central1/services/hello",
			"other.org":       "other",
		},
	})
	own := split("projects/local/locations/us-central1/services/hello")
	elsewhere := split("projects/local/locations/europe-west1/services/hello")
	for _, x := range []struct {
		name string
		got  []string
		want []string
	}{
		{"own", c.hosts(own), []string{"hello-123.us-central1.run.localhost", "hello.run.localhost"}},
		{"elsewhere", c.hosts(elsewhere), []string{"hello-123.europe-west1.run.localhost"}},
		{"all of the own", c.allHosts(own), []string{
			"hello-123.us-central1.run.localhost", "hello.run.localhost",
			"hello-123.us-central1.run.internal", "hello.run.internal",
			"*.example.org", "www.example.com",
		}},
		{"all of one elsewhere", c.allHosts(elsewhere), []string{"hello-123.europe-west1.run.localhost", "hello-123.europe-west1.run.internal"}},
		{"a tag's", tagHosts([]string{"hello.run.localhost", "*.example.org"}, "next"), []string{"next---hello.run.localhost"}},
	} {
		if !slices.Equal(x.got, x.want) {
			t.Errorf("%s: %q, want %q", x.name, x.got, x.want)
		}
	}
}

// contract: AUTH-3
func TestAdministratorMayCallEveryService(t *testing.T) {
	t.Parallel()
	who := invokersOf(nil)
	if !who.allows(Administrator) || who.allows("nobody@example.com") {
		t.Error("a service without a policy is the administrator's to call, and nobody else's")
	}
}
