package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2/google"
)

// libraries is what Go and Google's libraries for it make of the metadata
// server, beside what a report has.
type libraries struct {
	// Addresses are those of its name, Names those of its address.
	Addresses []string `json:"addresses"`
	Names     []string `json:"names"`
	Universe  string   `json:"universe"`
	// TokenType and the rest are those of a token of the OAuth 2 library's.
	TokenType   string `json:"tokenType"`
	TokenLength int    `json:"tokenLength"`
	// TokenLeft is in seconds.
	TokenLeft float64 `json:"tokenLeft"`
	// Told is how often a subscriber of the zone was told it in two seconds.
	Told int `json:"told"`
}

// useLibraries asks for all of it.
func useLibraries(ctx context.Context, _ url.Values) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var l libraries
	var err error
	if l.Addresses, err = net.DefaultResolver.LookupHost(ctx, "metadata.google.internal"); err != nil {
		return nil, err
	}
	if l.Names, err = net.DefaultResolver.LookupAddr(ctx, "169.254.169.254"); err != nil {
		return nil, err
	}
	if l.Universe, err = metadata.GetWithContext(ctx, "universe/universe-domain"); err != nil {
		return nil, err
	}
	token, err := google.ComputeTokenSource("", "https://www.googleapis.com/auth/cloud-platform").Token()
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	l.TokenType, l.TokenLength, l.TokenLeft = token.Type(), len(token.AccessToken), time.Until(token.Expiry).Seconds()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err = metadata.SubscribeWithContext(ctx, "instance/zone", func(context.Context, string, bool) error {
		l.Told++
		return nil
	})
	if ctx.Err() == nil {
		return nil, fmt.Errorf("subscription: %w", err)
	}
	return l, nil
}
