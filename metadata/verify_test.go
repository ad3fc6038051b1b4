package metadata_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"runnel/metadata"
)

const home = "https://hello.run.localhost"

// identity is an identity token of the first instance.
func identity(t *testing.T, s *metadata.Signer, audience string) string {
	t.Helper()
	token, err := s.IdentityToken(t.Context(), first, audience, false)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// contract: AUTH-4
func TestVerifyLooksAtTheAudience(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for _, c := range []struct {
		of   string
		at   []string
		good bool
	}{
		{home, []string{home}, true},
		{home + "/", []string{home}, true},
		{home, []string{home + "/"}, true},
		{home, []string{"https://other", home}, true},
		{"my-custom-audience", []string{home, "my-custom-audience"}, true},
		{home, []string{"https://tag---hello.run.localhost"}, false},
		{home, nil, false},
		{home + "/path", []string{home}, false},
		{"HTTPS://hello.run.localhost", []string{home}, false},
	} {
		token := identity(t, s, c.of)
		for range 2 { // the second time it is known
			email, err := s.Verify(token, c.at)
			if c.good && (err != nil || email != first.ServiceAccount) {
				t.Errorf("for %s at %v: %q, %v", c.of, c.at, email, err)
			}
			if !c.good && (err == nil || email != "" || !strings.Contains(err.Error(), c.of)) {
				t.Errorf("for %s at %v: %q, %v", c.of, c.at, email, err)
			}
		}
	}
}

// What was found good at one place is not good at another by what is put before
// it.
func TestVerifyKeepsQuestionsApart(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	token := identity(t, s, "b")
	if _, err := s.Verify(token, []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify("\x01\x00\x00\x00b"+token, []string{"a"}); err == nil {
		t.Error("a token with an audience before it is good")
	}
}

// contract: AUTH-5
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t), newSigner(t)
	good := identity(t, s, home)
	parts := strings.Split(good, ".")
	access, err := s.AccessToken(t.Context(), first, nil)
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ token, want string }{
		"nothing":            {"", "none that is signed by RS256"},
		"garbage":            {"garbage", "none that is signed by RS256"},
		"a huge one":         {strings.Repeat("x", 1<<20), "longer than"},
		"an access token":    {access.Value, `type is "at+jwt"`},
		"of another key":     {identity(t, other, home), "another key"},
		"other claims":       {parts[0] + "." + b64(strings.Replace(string(claims), first.ServiceAccount, "root@evil", 1)) + "." + parts[2], "signature is wrong"},
		"another signature":  {parts[0] + "." + parts[1] + "." + flip(parts[2]), "signature is wrong"},
		"no signature":       {parts[0] + "." + parts[1] + ".", "signature is wrong"},
		"alg none":           {b64(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", "none that is signed by RS256"},
		"signed by the JWKS": {confused(t, s, parts[1]), "none that is signed by RS256"},
		"with a key in it":   {own(t, string(claims)), "another key"},
	} {
		for range 2 {
			email, err := s.Verify(c.token, []string{home})
			if err == nil || email != "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, %v, want %q", name, email, err, c.want)
			}
		}
	}
}

// flip changes a character in the middle of a signature.
func flip(signature string) string {
	middle := []byte(signature)
	if at := len(middle) / 2; middle[at] == 'A' {
		middle[at] = 'B'
	} else {
		middle[at] = 'A'
	}
	return string(middle)
}

// confused is a token signed by HS256 with the public key as the secret.
func confused(t *testing.T, s *metadata.Signer, claims string) string {
	t.Helper()
	secret, err := json.Marshal(s.JWKS().Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT","kid":"`+s.JWKS().Keys[0].KeyID+`"}`)) + "." + claims
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// own is a token with claims that brings its key along.
func own(t *testing.T, claims string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	opts := (&jose.SignerOptions{EmbedJWK: true}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(claims), &fields); err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(fields).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// contract: AUTH-5
func TestVerifyRefusesWhatHasExpired(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	synctest.Test(t, func(t *testing.T) {
		token := identity(t, s, home)
		for range 2 {
			if _, err := s.Verify(token, []string{home}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour - 2*time.Second)
		if _, err := s.Verify(token, []string{home}); err != nil {
			t.Errorf("shortly before an hour: %v", err)
		}
		time.Sleep(3 * time.Second)
		if _, err := s.Verify(token, []string{home}); err == nil || !strings.Contains(err.Error(), "expired at") {
			t.Errorf("after an hour: %v", err)
		}
	})
}

// contract: AUTH-5
func TestKeySetVerifiesTokens(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	server := httptest.NewServer(s.KeySet())
	defer server.Close()
	resp, err := server.Client().Get(server.URL + metadata.KeySetPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&keys); err != nil || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v, %v", err, resp.Header)
	}
	parsed, err := jwt.ParseSigned(identity(t, s, home), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := parsed.Claims(keys, &claims); err != nil || claims.Issuer != metadata.Issuer {
		t.Errorf("%+v, %v", claims, err)
	}
	if resp, err := server.Client().Post(server.URL, "", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", resp, err)
	}
}

func BenchmarkVerifySeen(b *testing.B) {
	s, err := metadata.LoadOrCreateSigner(b.TempDir() + "/key")
	if err != nil {
		b.Fatal(err)
	}
	token, err := s.IdentityToken(b.Context(), first, home, true)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(token, []string{home, home + "/x"}); err != nil {
			b.Fatal(err)
		}
	}
}
