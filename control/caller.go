package control

import "context"

// callerKey is where a context keeps who calls.
type callerKey struct{}

// WithCaller says on whose behalf calls with the context are made: an email
// address. It becomes the creator or the last modifier of what is changed.
func WithCaller(ctx context.Context, email string) context.Context {
	return context.WithValue(ctx, callerKey{}, email)
}

// caller is who calls, empty if nobody said.
func caller(ctx context.Context) string {
	email, _ := ctx.Value(callerKey{}).(string)
	return email
}

// Administrator is whom identity tokens name that the API hands out: whoever may
// use the API may call every service.
const Administrator = "administrator@runnel.internal"
