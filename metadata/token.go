package metadata

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// lifetime is how long a token is good for.
// Source: Cloud Run, "Service identity": access and identity tokens last an hour.
const lifetime = time.Hour

// AccessToken is an OAuth 2.0 bearer token.
type AccessToken struct {
	Value string
	// Expires is when it stops being good, in whole seconds.
	Expires time.Time
}

// accessClaims are what an access token says. Its header's typ (RFC 9068)
// keeps it from passing as an identity token.
type accessClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Scope    string `json:"scope"`
	Instance string `json:"instance_id"`
	Project  string `json:"project_id"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// AccessToken returns a signed token bound to id's account and instance, and
// to scopes. Asked again it returns the same token until that is about to
// expire, so what is left of its life counts down as clients expect.
func (s *Signer) AccessToken(ctx context.Context, id Identity, scopes []string) (AccessToken, error) {
	if len(scopes) == 0 {
		scopes = []string{Scope}
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	scope := strings.Join(scopes, " ")
	e, err := s.cache.get(ctx, id, cacheKey{"access", scope}, func(now time.Time) (entry, error) {
		expires := now.Add(lifetime)
		token, err := s.sign(ctx, "at+jwt", accessClaims{
			Issuer: Issuer, Subject: accountID(id.ServiceAccount), Email: id.ServiceAccount,
			Scope: scope, Instance: id.InstanceID, Project: id.ProjectID,
			ID: newTokenID(), IssuedAt: now.Unix(), Expires: expires.Unix(),
		})
		return entry{token, expires}, err
	})
	if err != nil {
		return AccessToken{}, fmt.Errorf("access token of %s: %w", id.ServiceAccount, err)
	}
	return AccessToken{Value: e.token, Expires: e.expires}, nil
}

// identityType is the typ of an identity token's header.
const identityType = "JWT"

// identityClaims are what an identity token says.
type identityClaims struct {
	Issuer        string        `json:"iss"`
	Audience      string        `json:"aud"`
	Authorized    string        `json:"azp"`
	Subject       string        `json:"sub"`
	Email         string        `json:"email"`
	EmailVerified bool          `json:"email_verified"`
	IssuedAt      int64         `json:"iat"`
	Expires       int64         `json:"exp"`
	Google        *googleClaims `json:"google,omitempty"`
}

// googleClaims is the part that format=full adds, in the place where clients
// of Google's own tokens look for it.
type googleClaims struct {
	ComputeEngine struct {
		InstanceID    string `json:"instance_id"`
		ProjectID     string `json:"project_id"`
		ProjectNumber string `json:"project_number"`
		Zone          string `json:"zone"`
	} `json:"compute_engine"`
}

// IdentityToken returns a signed JWT that says who id is to audience.
func (s *Signer) IdentityToken(ctx context.Context, id Identity, audience string, full bool) (string, error) {
	kind := "identity"
	if full {
		kind = "identity, full"
	}
	e, err := s.cache.get(ctx, id, cacheKey{kind, audience}, func(now time.Time) (entry, error) {
		expires := now.Add(lifetime)
		account := accountID(id.ServiceAccount)
		claims := identityClaims{
			Issuer: Issuer, Audience: audience, Authorized: account, Subject: account,
			Email: id.ServiceAccount, EmailVerified: true,
			IssuedAt: now.Unix(), Expires: expires.Unix(),
		}
		if full {
			claims.Google = &googleClaims{}
			g := &claims.Google.ComputeEngine
			g.InstanceID, g.ProjectID, g.ProjectNumber = id.InstanceID, id.ProjectID, id.ProjectNumber
			g.Zone = id.Region + "-1"
		}
		token, err := s.sign(ctx, identityType, claims)
		return entry{token, expires}, err
	})
	if err != nil {
		return "", fmt.Errorf("identity token of %s: %w", id.ServiceAccount, err)
	}
	return e.token, nil
}

// accountID is an account's numeric unique identifier: 21 digits that begin
// with 1, always the same ones for the same address.
func accountID(email string) string {
	sum := sha256.Sum256([]byte(email))
	digits := new(big.Int).Mod(new(big.Int).SetBytes(sum[:]), big.NewInt(1e18))
	return fmt.Sprintf("1%020d", digits)
}
