package http1

import "net/textproto"

// What a byte may be part of.
const (
	inToken = 1 << iota
	inValue
	inTarget
	inHost
)

// chars has a set of the bits above for each byte.
var chars = classify()

// classify builds the table of chars. Values are visible ASCII, space and tab,
// as the contract has them, without the bytes above that RFC 9110 calls
// obsolete.
// Source: RFC 9110, 5.6.2 and 5.5; Cloud Run container runtime contract,
// "Request and response headers"; RFC 3986, 3.2.2.
func classify() (table [256]uint8) {
	set := func(bits uint8, bytes string) {
		for i := range len(bytes) {
			table[bytes[i]] |= bits
		}
	}
	for c := byte('!'); c <= '~'; c++ {
		table[c] |= inValue | inTarget
	}
	set(inValue, " \t")
	const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	set(inToken, alphanumeric+"!#$%&'*+-.^_`|~")
	set(inHost, alphanumeric+"-._~%!$&'()*+,;=:[]")
	return table
}

func all(s string, bit uint8) bool {
	for i := range len(s) {
		if chars[s[i]]&bit == 0 {
			return false
		}
	}
	return true
}

// IsToken reports whether s can be a method or the name of a field.
func IsToken(s string) bool { return s != "" && all(s, inToken) }

// IsValue reports whether s can be the value of a field.
func IsValue(s string) bool { return all(s, inValue) }

// IsTarget reports whether s can be the target of a request.
func IsTarget(s string) bool { return s != "" && all(s, inTarget) }

// IsHost reports whether s can be the value of Host. It may be empty.
func IsHost(s string) bool { return all(s, inHost) }

// Canonical is name as http.Header has it. It makes no copy of a name that is.
func Canonical(name string) string {
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			return textproto.CanonicalMIMEHeaderKey(name)
		}
		upper = c == '-'
	}
	return name
}
