package contract

import (
	"encoding/json"
	"strings"
	"testing"
)

// contract: MD-1
func TestMD1MetadataServerIsAtItsNameAndItsAddress(t *testing.T) {
	m := metadata(t)
	for _, at := range []string{"metadata.google.internal", "169.254.169.254"} {
		m.At(at+":80", "/computeMetadata/v1/project/project-id").is(t, 200, project)
	}
	if g := asGoSees(m); !g.OnGCE || len(g.Errors) > 0 {
		t.Errorf("Google's client for Go: on its cloud %v, errors %v", g.OnGCE, g.Errors)
	}
}

// contract: MD-2
func TestMD2HeaderIsRequired(t *testing.T) {
	m := metadata(t)
	for _, headers := range []string{"", "Metadata-Flavor: google\r\n", "Metadata-Flavour: Google\r\n"} {
		a := m.raw("169.254.169.254:80", "GET /computeMetadata/v1/project/project-id HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n"+headers+"\r\n")
		if a.StatusCode != 403 || !strings.Contains(a.body, "Metadata-Flavor: Google") || strings.Contains(a.body, project) {
			t.Errorf("with %q: %d %s", headers, a.StatusCode, a.body)
		}
	}
	m.Get("project/project-id").is(t, 200, project)
}

// contract: MD-3
func TestMD3AnswersSayWhatServerThisIs(t *testing.T) {
	m := metadata(t)
	for path, kind := range map[string]string{
		"project/project-id": "application/text", "instance/": "application/text", "instance/?recursive=true": "application/json",
		"instance/service-accounts/default/token": "application/json",
	} {
		a := m.Get(path).is(t, 200, "")
		for name, want := range map[string]string{
			"Metadata-Flavor": "Google", "Server": "Metadata Server for Serverless", "Content-Type": kind,
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

// contract: MD-4
func TestMD4ProjectIsNamedAndNumbered(t *testing.T) {
	m := metadata(t)
	m.Get("project/project-id").is(t, 200, project)
	m.Get("project/numeric-project-id").is(t, 200, projectNumber)
	if g := asGoSees(m); g.ProjectID != project || g.ProjectNumber != projectNumber {
		t.Errorf("to Google's client for Go it is project %q, number %q", g.ProjectID, g.ProjectNumber)
	}
}

// contract: MD-5
func TestMD5RegionHasTheProjectsNumber(t *testing.T) {
	m := metadata(t)
	const want = "projects/" + projectNumber + "/regions/us-central1"
	m.Get("instance/region").is(t, 200, want)
	if g := asGoSees(m); g.Region != want {
		t.Errorf("to Google's client for Go it is %q", g.Region)
	}
}

// contract: MD-6
func TestMD6ZoneIsTheRegionsFirst(t *testing.T) {
	m := metadata(t)
	m.Get("instance/zone").is(t, 200, "projects/"+projectNumber+"/zones/us-central1-1")
	if g := asGoSees(m); g.Zone != "us-central1-1" { // it cuts off the rest
		t.Errorf("to Google's client for Go it is %q", g.Zone)
	}
}

// contract: MD-7
func TestMD7InstanceIDIsThatOfTheLog(t *testing.T) {
	m := metadata(t)
	id := m.Get("instance/id").is(t, 200, "").body
	if len(id) < 100 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("the instance's id is %q, want a long hexadecimal number", id)
	}
	m.d.Get(m.name, "/log?text=md7-was-here").Is(m.d.Host, 200)
	m.d.Eventually("the line is in the log, with the instance's id", func() bool {
		r := m.d.CLI("services", "logs", m.name, "--format", "value(labels.instanceId)", "--log-filter", `textPayload="md7-was-here"`).Exits(0)
		return strings.HasSuffix(r.Stdout, id+"\n")
	})
	if g := asGoSees(m); len(g.InstanceID) != len(id) || g.InstanceID == id {
		t.Errorf("two instances are %s and %s", id, g.InstanceID)
	}
}

// contract: MD-8
func TestMD8EmailIsTheServiceAccounts(t *testing.T) {
	m := metadata(t)
	m.Get("instance/service-accounts/default/email").is(t, 200, askerAccount)
	if g := asGoSees(m); g.Email != goAccount {
		t.Errorf("to Google's client for Go it is %q", g.Email)
	}
}

// contract: MD-9
func TestMD9TokenIsOneForGooglesLibraries(t *testing.T) {
	m := metadata(t)
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		TokenType   string `json:"token_type"`
	}
	decoder := json.NewDecoder(strings.NewReader(m.Get("instance/service-accounts/default/token").is(t, 200, "").body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&token); err != nil || len(token.AccessToken) < 100 ||
		token.ExpiresIn <= 0 || token.ExpiresIn > 3600 || token.TokenType != "Bearer" {
		t.Errorf("the token is %+v: %v", token, err)
	}
	if g := asGoSees(m); g.library.TokenType != "Bearer" || g.library.TokenLength < 100 || g.library.TokenLeft <= 0 || g.library.TokenLeft > 3600 {
		t.Errorf("Google's library for Go has the token %+v", g.library)
	}
}
