package rest

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// MaxValues bounds how many values a request holds: members of objects, and
// elements of lists. A value of two bytes may become a message of hundreds,
// which is copied more than once, so that a bound of bytes alone would let one
// body take a gigabyte. A job has some thousands of values at most.
const MaxValues = 20_000

// CheckValues refuses a body of JSON that holds more than MaxValues values. It
// does not care whether it is JSON.
func CheckValues(text []byte) error {
	n, inText := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case !inText && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	if n > MaxValues {
		return newError(http.StatusRequestEntityTooLarge, codes.InvalidArgument, "the body holds more than %d values", MaxValues)
	}
	return nil
}
