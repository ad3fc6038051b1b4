package metadata

import "context"

// identityKey is the context key of WithIdentity.
type identityKey struct{}

// WithIdentity returns a context under which a Handler answers for the
// identity that current returns. It is meant for http.Server.BaseContext, so
// that the identity is that of the listener.
//
// current is called once for each request, from any goroutine: it may answer
// differently when a network namespace passes to another instance, and nil
// while it belongs to none, which the client sees as 503. The Identity it
// returns must not be changed afterwards.
func WithIdentity(ctx context.Context, current func() *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, current)
}

// identityOf returns the identity bound to ctx, nil if there is none.
func identityOf(ctx context.Context) *Identity {
	current, ok := ctx.Value(identityKey{}).(func() *Identity)
	if !ok {
		return nil
	}
	return current()
}
