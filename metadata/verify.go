package metadata

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxToken bounds a token that is looked at, in bytes: more than one of ours can
// have.
const maxToken = 8 << 10

// Verify tells whose identity token one is, by the email address, if this key
// has signed it, it has not expired, and it is for one of the audiences; a slash
// at the end of an audience does not count. Access tokens are none. The error
// says what is wrong with it.
func (s *Signer) Verify(token string, audiences []string) (email string, err error) {
	if len(token) > maxToken {
		return "", fmt.Errorf("identity token is longer than %d bytes", maxToken)
	}
	now, key := time.Now(), verifiedKey(token, audiences)
	if email, ok := s.verified.find(key, now); ok {
		return email, nil
	}
	claims, err := s.open(token)
	if err != nil {
		return "", fmt.Errorf("identity token: %w", err)
	}
	expires := time.Unix(claims.Expires, 0)
	switch {
	case claims.Issuer != Issuer:
		return "", fmt.Errorf("identity token is of %q, want %q", claims.Issuer, Issuer)
	case !now.Before(expires):
		return "", fmt.Errorf("identity token expired at %v", expires.UTC().Format(time.RFC3339))
	case !slices.ContainsFunc(audiences, func(a string) bool { return trim(a) == trim(claims.Audience) }):
		return "", fmt.Errorf("identity token is for %q", claims.Audience)
	case claims.Email == "" || !claims.EmailVerified:
		return "", errors.New("identity token names nobody")
	}
	s.verified.keep(key, verifiedToken{claims.Email, expires})
	return claims.Email, nil
}

// trim leaves out the slash at the end of an audience.
func trim(audience string) string { return strings.TrimSuffix(audience, "/") }

// open is what an identity token says, if this key has signed it.
func (s *Signer) open(token string) (claims identityClaims, err error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return claims, errors.New("it is none that is signed by RS256")
	}
	head := parsed.Headers[0]
	if typ, _ := head.ExtraHeaders[jose.HeaderType].(string); typ != identityType {
		return claims, fmt.Errorf("its type is %q, want %q", typ, identityType)
	}
	if head.KeyID != s.key.KeyID {
		return claims, errors.New("another key has signed it")
	}
	if err := parsed.Claims(s.key.Public(), &claims); err != nil {
		return claims, errors.New("its signature is wrong")
	}
	return claims, nil
}
