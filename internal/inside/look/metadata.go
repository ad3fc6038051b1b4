package look

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"cloud.google.com/go/compute/metadata"
)

// Metadata is what Google's own client has from the metadata server. Of a token
// it tells everything but the token.
type Metadata struct {
	// OnGCE is whether the client takes this for a machine of Google's.
	OnGCE         bool   `json:"onGCE"`
	ProjectID     string `json:"projectID"`
	ProjectNumber string `json:"projectNumber"`
	Region        string `json:"region"`
	Zone          string `json:"zone"`
	InstanceID    string `json:"instanceID"`
	Email         string `json:"email"`
	Scopes        string `json:"scopes"`
	TokenType     string `json:"tokenType"`
	// TokenExpires is in seconds from now, TokenLength in bytes.
	TokenExpires int `json:"tokenExpires"`
	TokenLength  int `json:"tokenLength"`
	// Errors tells what could not be had, by path or name.
	Errors map[string]string `json:"errors"`
}

// ask asks for all of it, for ten seconds at most.
func ask(ctx context.Context) Metadata {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m := Metadata{OnGCE: metadata.OnGCEWithContext(ctx), Errors: map[string]string{}}
	if !m.OnGCE {
		return m // the client's users do not ask either
	}
	for name, q := range map[string]struct {
		into *string
		ask  func(context.Context) (string, error)
	}{
		"project ID":     {&m.ProjectID, metadata.ProjectIDWithContext},
		"project number": {&m.ProjectNumber, metadata.NumericProjectIDWithContext},
		"region":         {&m.Region, getter("instance/region")},
		"zone":           {&m.Zone, metadata.ZoneWithContext},
		"instance ID":    {&m.InstanceID, metadata.InstanceIDWithContext},
		"email":          {&m.Email, func(ctx context.Context) (string, error) { return metadata.EmailWithContext(ctx, "default") }},
		"scopes":         {&m.Scopes, getter("instance/service-accounts/default/scopes")},
	} {
		var err error
		if *q.into, err = q.ask(ctx); err != nil {
			m.Errors[name] = err.Error()
		}
	}
	if err := m.askToken(ctx); err != nil {
		m.Errors["token"] = err.Error()
	}
	return m
}

func getter(path string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) { return metadata.GetWithContext(ctx, path) }
}

func (m *Metadata) askToken(ctx context.Context) error {
	text, err := metadata.GetWithContext(ctx, "instance/service-accounts/default/token")
	if err != nil {
		return err
	}
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		TokenType   string `json:"token_type"`
	}
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	m.TokenType, m.TokenExpires, m.TokenLength = token.TokenType, token.ExpiresIn, len(token.AccessToken)
	return nil
}
