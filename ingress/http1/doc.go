// Package http1 reads and writes what frames messages of HTTP/1.1: heads,
// fields, lengths, chunks. It takes a message only if there is one way to read
// it, so that two who read the same bytes with it, or after it, see the same
// messages.
//
// It knows requests and responses no better than their fields, opens nothing,
// and needs no privilege.
package http1

import "errors"

// Why a message cannot be read.
var (
	// ErrSyntax: it is not HTTP/1.1, or could be read in two ways.
	ErrSyntax = errors.New("not HTTP/1.1")
	// ErrLong: its head or its trailers are larger than is allowed.
	ErrLong = errors.New("header is too large")
)

// Bounds of what is read.
const (
	// MaxHead is the largest head, in bytes, its last empty line among them.
	MaxHead = 64 << 10
	// MaxFields is how many fields a head may have.
	MaxFields = 256
	// maxSizeLine is the longest line that gives the size of a chunk, with its
	// extensions.
	maxSizeLine = 256
	// maxSizeDigits keeps the size of a chunk far from what an int64 holds.
	maxSizeDigits = 15
)
