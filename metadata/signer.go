package metadata

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Issuer is the iss claim of every token. It is Runnel's own: these tokens
// prove nothing to Google.
const Issuer = "https://accounts.runnel.internal"

// Signer makes the tokens of a host's instances and signs them with its key,
// RS256. It keeps what it made until shortly before it expires. It is safe for
// concurrent use.
type Signer struct {
	key jose.JSONWebKey
	// signing has room for one: a signature is a millisecond of CPU, and all
	// instances together may take one core for it. They get it in the order
	// they come, each one at a time: see shelf.turn.
	signing chan struct{}
	cache   cache
	// verified are tokens that have been found good.
	verified verified
}

// newSigner returns a Signer of key, named by its thumbprint.
func newSigner(key *rsa.PrivateKey) (*Signer, error) {
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("thumbprint of the signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return &Signer{key: jwk, signing: make(chan struct{}, 1)}, nil
}

// JWKS returns the public keys that verify the tokens, as a JSON Web Key Set.
func (s *Signer) JWKS() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key.Public()}}
}

// sign returns claims as a compact JWT whose header says typ. It gives up
// waiting when ctx ends.
func (s *Signer) sign(ctx context.Context, typ string, claims any) (string, error) {
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.key}, opts)
	if err != nil {
		return "", fmt.Errorf("signer of %s tokens: %w", typ, err)
	}
	select {
	case s.signing <- struct{}{}:
		defer func() { <-s.signing }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a %s token: %w", typ, err)
	}
	return token, nil
}

// newTokenID is the jti of an access token: what an audit trail names.
func newTokenID() string { return rand.Text() }

// wholeSeconds is now as tokens count it.
func wholeSeconds(now time.Time) time.Time { return now.Truncate(time.Second) }
