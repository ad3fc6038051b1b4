package metadata_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"runnel/metadata"
)

// verify checks token against the published keys, as a receiver would, and
// returns its claims and the typ of its header.
func verify(t *testing.T, s *metadata.Signer, token string) (claims map[string]any, typ string) {
	t.Helper()
	published, err := json.Marshal(s.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(published), `"d":`) {
		t.Fatalf("the key set gives the private key away: %s", published)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(published, &keys); err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatalf("token %q: %v", token, err)
	}
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatalf("token %q: %v", token, err)
	}
	typ, _ = parsed.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	return claims, typ
}

// contract: MD-10
func TestIdentityTokenVerifiesAgainstThePublishedKeys(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	url := serve(t, metadata.New(metadata.Config{Tokens: s}), func() *metadata.Identity { return &first })
	path := v1 + "instance/service-accounts/default/identity"
	long := strings.Repeat("x", 2049)
	for _, query := range []string{"", "?audience=", "?format=full", "?audience=x&format=long", "?audience=" + long} {
		if resp, body := get(t, url+path+query); resp.StatusCode != http.StatusBadRequest || body == "" {
			t.Errorf("identity%s = %d, want 400", query, resp.StatusCode)
		}
	}
	for _, format := range []string{"", "&format=standard", "&format=full"} {
		resp, body := get(t, url+path+"?audience=https://svc.example/a%26b"+format)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/text" {
			t.Fatalf("identity = %d, %v", resp.StatusCode, resp.Header)
		}
		claims, typ := verify(t, s, body)
		if typ != "JWT" || claims["aud"] != "https://svc.example/a&b" || claims["iss"] != metadata.Issuer ||
			claims["email"] != first.ServiceAccount || claims["email_verified"] != true ||
			claims["sub"] != claims["azp"] || len(claims["sub"].(string)) != 21 {
			t.Errorf("identity token says %v (typ %s)", claims, typ)
		}
		if left := claims["exp"].(float64) - claims["iat"].(float64); left != 3600 {
			t.Errorf("identity token lasts %v s, want an hour", left)
		}
		google, full := claims["google"].(map[string]any)
		if full != (format == "&format=full") {
			t.Errorf("format %q: google = %v", format, google)
		}
		if full && google["compute_engine"].(map[string]any)["instance_id"] != first.InstanceID {
			t.Errorf("google = %v", google)
		}
	}
}

// contract: MD-9 MD-16
func TestAccessTokenIsBoundToAccountScopesAndInstance(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	url := serve(t, metadata.New(metadata.Config{Tokens: s}), func() *metadata.Identity { return &first })
	seen := map[string]bool{}
	for path, scope := range map[string]string{
		"default/token": metadata.Scope,
		first.ServiceAccount + "/token?scopes=b,a":           "a b",
		"default/token?scopes=c%20b":                         "b c",
		"default/token?scopes=" + metadata.Scope + ",openid": metadata.Scope + " openid",
	} {
		resp, body := get(t, url+v1+"instance/service-accounts/"+path)
		var token struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
			TokenType   string `json:"token_type"`
		}
		if err := json.Unmarshal([]byte(body), &token); err != nil || resp.StatusCode != 200 {
			t.Fatalf("token = %d %q: %v", resp.StatusCode, body, err)
		}
		if token.TokenType != "Bearer" || token.ExpiresIn < 3500 || token.ExpiresIn > 3600 {
			t.Errorf("token = %+v", token)
		}
		claims, typ := verify(t, s, token.AccessToken)
		if typ != "at+jwt" || claims["scope"] != scope || claims["email"] != first.ServiceAccount ||
			claims["instance_id"] != first.InstanceID || claims["aud"] != nil {
			t.Errorf("access token for %s says %v (typ %s)", path, claims, typ)
		}
		seen[token.AccessToken] = true
	}
	if len(seen) != 4 {
		t.Errorf("4 sets of scopes gave %d tokens", len(seen))
	}
	for _, scopes := range []string{strings.Repeat("a,", 100), strings.Repeat("a", 2049)} {
		if resp, _ := get(t, url+v1+"instance/service-accounts/default/token?scopes="+scopes); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%d bytes of scopes = %d, want 400", len(scopes), resp.StatusCode)
		}
	}
}

func TestTokensAreKeptUntilShortlyBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	s := newSigner(t) // outside the bubble: it touches files
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		token := func(id metadata.Identity) metadata.AccessToken {
			tok, err := s.AccessToken(ctx, id, nil)
			if err != nil {
				t.Fatal(err)
			}
			return tok
		}
		a := token(first)
		if left := time.Until(a.Expires); left != time.Hour {
			t.Errorf("a new token lasts %v", left)
		}
		time.Sleep(54 * time.Minute)
		if b := token(first); b != a || time.Until(b.Expires) != 6*time.Minute {
			t.Errorf("after 54 minutes another token: %v left", time.Until(b.Expires))
		}
		if token(second) == a {
			t.Error("two instances share a token")
		}
		time.Sleep(time.Minute)
		if c := token(first); c == a || time.Until(c.Expires) != time.Hour {
			t.Errorf("five minutes before its end the token was not renewed: %v left", time.Until(c.Expires))
		}
	})
}

func TestManyAudiencesAndCallersAtOnce(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	var wg sync.WaitGroup
	tokens := make([]string, 40)
	for i := range tokens {
		wg.Go(func() {
			tok, err := s.IdentityToken(t.Context(), first, fmt.Sprint(i/4), false)
			if err != nil {
				t.Error(err)
			}
			tokens[i] = tok
		})
	}
	wg.Wait()
	if n := len(slices.Compact(slices.Sorted(slices.Values(tokens)))); n < 10 {
		t.Errorf("10 audiences share %d tokens", n)
	}
}
