package rest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	jobTemplate  = "/v2/{name=projects/*/locations/*/jobs/*}"
	runTemplate  = "/v2/{name=projects/*/locations/*/jobs/*}:run"
	listTemplate = "/v2/{parent=projects/*/locations/*}/jobs"
	restTemplate = "/v1/{name=files/**}"
)

func TestTemplatesMatchPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		template, path string
		// want is the variables as name=value, "-" for no match.
		want string
	}{
		{jobTemplate, "/v2/projects/p/locations/r/jobs/j", "name=projects/p/locations/r/jobs/j"},
		{jobTemplate, "/v2/projects/example.com:p/locations/r/jobs/j", "name=projects/example.com:p/locations/r/jobs/j"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/-", "name=projects/p/locations/r/jobs/-"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/a%20b", "name=projects/p/locations/r/jobs/a b"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/a%2Fb", "name=projects/p/locations/r/jobs/a%2Fb"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/a%252Fb", "name=projects/p/locations/r/jobs/a%2Fb"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/j:run", "-"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/j:", "-"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/", "-"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs", "-"},
		{jobTemplate, "/v2/projects/p/locations/r/jobs/j/", "-"},
		{jobTemplate, "/v2/projects//locations/r/jobs/j", "-"},
		{jobTemplate, "/v2/projects/p/locations/r/services/j", "-"},
		{jobTemplate, "/v1/projects/p/locations/r/jobs/j", "-"},
		{jobTemplate, "/", "-"},
		{runTemplate, "/v2/projects/p/locations/r/jobs/j:run", "name=projects/p/locations/r/jobs/j"},
		{runTemplate, "/v2/projects/p/locations/r/jobs/j%3Arun", "name=projects/p/locations/r/jobs/j"},
		{runTemplate, "/v2/projects/p/locations/r/jobs/j:walk", "-"},
		{runTemplate, "/v2/projects/p/locations/r/jobs/:run", "-"},
		{runTemplate, "/v2/projects/p/locations/r/jobs/j", "-"},
		{listTemplate, "/v2/projects/p/locations/-/jobs", "parent=projects/p/locations/-"},
		{restTemplate, "/v1/files/a/b/c", "name=files/a/b/c"},
		{restTemplate, "/v1/files", "name=files"},
		{restTemplate, "/v1/filed/a", "-"},
		{"/{a}/x/{b=*}", "/1/x/2", "a=1 b=2"},
		{"/{a}/x", "/1%2F2/x", "a=1/2"},
		{"/plain:verb", "/plain:verb", ""},
	} {
		tmpl, err := parseTemplate(tt.template)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parsePath(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		found, ok := tmpl.match(p)
		var got []string
		for _, b := range found {
			got = append(got, b.field+"="+b.value)
		}
		text := strings.Join(got, " ")
		if !ok {
			text = "-"
		}
		if text != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.template, tt.path, text, tt.want)
		}
	}
}

func TestWrongTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "v2/x", "/v2/{name", "/v2/{=a}", "/v2/{a}b", "/a//b", "/a/**/b", "/{a=**}/b", "/{a=x/}", "/a*/b", "/{a={b}}",
	} {
		if got, err := parseTemplate(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func TestWrongEscapesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "/%", "/%zz", "/a%2"} {
		if _, err := parsePath(text); err == nil {
			t.Errorf("%q is taken for a path", text)
		}
	}
}

// A path that is made of values is found again, and gives them back.
func FuzzTemplate(f *testing.F) {
	f.Add("p", "r", "j")
	f.Add("example.com:p", "-", "a/b")
	f.Add("%2F", "{x}", "**")
	tmpl, err := parseTemplate("/v2/projects/{a}/{b=jobs/*}/x/{c}:run")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if a == "" || b == "" || c == "" || strings.Contains(b, "%2") || strings.Contains(b, "/") {
			t.Skip("no segment")
		}
		escaped := fmt.Sprintf("/v2/projects/%s/jobs/%s/x/%s:run", url.PathEscape(a), url.PathEscape(b), url.PathEscape(c))
		p, err := parsePath(escaped)
		if err != nil {
			t.Fatalf("%s: %v", escaped, err)
		}
		found, ok := tmpl.match(p)
		if want := []binding{{"a", a}, {"b", "jobs/" + b}, {"c", c}}; !ok || !slices.Equal(found, want) {
			t.Errorf("%s: %q, want %q", escaped, found, want)
		}
	})
}

// Whatever comes as a path or a template ends in an answer.
func FuzzParsers(f *testing.F) {
	f.Add(jobTemplate, "/v2/projects/p/locations/r/jobs/j", "$alt=json;enum-encoding=int&a.b=%20")
	f.Add("/{a=**}:x", "/%3A:%2F", "&&==&;")
	f.Fuzz(func(t *testing.T, template, escaped, query string) {
		if params, err := parseQuery(query); err == nil && utf8.ValidString(query) && strings.Count(query, "&")+1 < len(params) {
			t.Errorf("%q: %d parameters", query, len(params))
		}
		p, err := parsePath(escaped)
		if err != nil {
			return
		}
		if tmpl, err := parseTemplate(template); err == nil {
			if found, ok := tmpl.match(p); ok && len(found) != len(tmpl.variables) {
				t.Errorf("%q of %q: %q", template, escaped, found)
			}
		}
	})
}
