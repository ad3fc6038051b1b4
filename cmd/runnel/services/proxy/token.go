package proxy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"time"

	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/daemon"
)

const (
	// renewBefore is how long before its end a token is replaced.
	renewBefore = 5 * time.Minute
	// unknownLife is how long a token is used that does not say when it ends.
	unknownLife = 5 * time.Minute
)

// Source gives the token for a request.
type Source func(ctx context.Context) (string, error)

// Fixed gives the same token always.
func Fixed(token string) Source {
	return func(context.Context) (string, error) { return token, nil }
}

// Tokens gives tokens of the daemon for an audience, each of them as long as it
// is good. It is safe for concurrent use.
func Tokens(c *client.Client, audience string) Source {
	path := daemon.IdentityPath + "?" + url.Values{"audience": {audience}}.Encode()
	return cached(func(ctx context.Context) (string, error) {
		data, err := c.Read(ctx, path)
		return strings.TrimSpace(string(data)), err
	})
}

// cached asks for a token again shortly before the one at hand ends. While one
// request asks, others wait.
func cached(ask Source) Source {
	var mu sync.Mutex // guards the two below
	var token string
	var until time.Time
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && time.Now().Before(until) {
			return token, nil
		}
		next, err := ask(ctx)
		if err != nil {
			return "", err
		}
		token, until = next, end(next)
		return token, nil
	}
}

// end is when a token is to be replaced.
func end(token string) time.Time {
	var claims struct {
		Exp int64 `json:"exp"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Now().Add(unknownLife)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(data, &claims) != nil || claims.Exp == 0 {
		return time.Now().Add(unknownLife)
	}
	return time.Unix(claims.Exp, 0).Add(-renewBefore)
}
