package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// digestPrefix names the one algorithm in use; sha512 is allowed by OCI and
// used by nobody.
const digestPrefix = "sha256:"

// digest is "sha256:" and 64 lower-case hexadecimal digits. Only parseDigest
// and the hashing functions make one, so its hex part is safe as a file name.
type digest string

// parseDigest checks what came from outside: anything else, such as
// "sha256:../..", must never become part of a path.
func parseDigest(s string) (digest, error) {
	hexes, ok := strings.CutPrefix(s, digestPrefix)
	if !ok || len(hexes) != 2*sha256.Size || strings.Trim(hexes, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not a sha256 digest", clip(s))
	}
	return digest(s), nil
}

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(digestPrefix + hex.EncodeToString(sum[:]))
}

func digestSum(h hash.Hash) digest {
	return digest(digestPrefix + hex.EncodeToString(h.Sum(nil)))
}

// hex is the digest without its algorithm.
func (d digest) hex() string { return strings.TrimPrefix(string(d), digestPrefix) }

// short is enough of the digest for a person to recognise it.
func (d digest) short() string {
	if len(d) < len(digestPrefix)+12 {
		return string(d)
	}
	return string(d[:len(digestPrefix)+12])
}
