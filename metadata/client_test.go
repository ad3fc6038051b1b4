package metadata_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	gce "cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2/google"

	"runnel/metadata"
)

// contract: MD-1 MD-4 MD-8 MD-9 MD-13 MD-14
//
// Not parallel: the client finds its server through the environment.
func TestGoogleClientForGo(t *testing.T) {
	url := start(t, first)
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(url, "http://"))
	ctx := t.Context()
	c := gce.NewClient(&http.Client{})

	if !gce.OnGCE() {
		t.Error("OnGCE = false")
	}
	for name, tt := range map[string]struct {
		call func(context.Context) (string, error)
		want string
	}{
		"ProjectID":        {c.ProjectIDWithContext, first.ProjectID},
		"NumericProjectID": {c.NumericProjectIDWithContext, first.ProjectNumber},
		"InstanceID":       {c.InstanceIDWithContext, first.InstanceID},
		"Zone":             {c.ZoneWithContext, first.Region + "-1"},
		"Email":            {func(ctx context.Context) (string, error) { return c.EmailWithContext(ctx, "") }, first.ServiceAccount},
	} {
		if got, err := tt.call(ctx); err != nil || got != tt.want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, tt.want)
		}
	}
	if got, err := c.ScopesWithContext(ctx, ""); err != nil || len(got) != 1 || got[0] != metadata.Scope {
		t.Errorf("Scopes = %q, %v", got, err)
	}
	if _, err := c.HostnameWithContext(ctx); !errors.As(err, new(gce.NotDefinedError)) {
		t.Errorf("Hostname = %v, want NotDefinedError", err)
	}
	var token map[string]any
	body, err := c.GetWithContext(ctx, "instance/service-accounts/default/token?scopes="+metadata.Scope)
	if err == nil {
		err = json.Unmarshal([]byte(body), &token)
	}
	if err != nil || token["access_token"] == "" || token["expires_in"].(float64) <= 0 {
		t.Errorf("token = %q, %v", body, err)
	}

	tok, err := google.ComputeTokenSource("", metadata.Scope).Token()
	if err != nil || !tok.Valid() || tok.Type() != "Bearer" {
		t.Errorf("oauth2 token = %+v, %v", tok, err)
	}

	// Subscribe asks again with the last ETag and must be held, not answered.
	ctx, cancel := context.WithCancel(ctx)
	calls := 0
	err = c.SubscribeWithContext(ctx, "instance/zone", func(context.Context, string, bool) error {
		calls++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("Subscribe called %d times and returned %v", calls, err)
	}
}
