package logs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
)

// after is the key that is the next after k.
func (k key) after() key {
	k.note++
	return k
}

// token is a place in a list, in the form that callers see.
type token struct {
	Time     int64  `json:"t"`
	Instance string `json:"i"`
	Offset   int64  `json:"o"`
	Note     int    `json:"n"`
	// List tells lists apart.
	List string `json:"l"`
}

// token writes a place in the list that is asked for.
func (r *listRequest) token(k key) string {
	text, err := json.Marshal(token{k.time, k.instance, k.offset, k.note, r.mark()})
	if err != nil {
		return "" // it has no field that JSON has not
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readToken reads a place in the list that is asked for.
func (r *listRequest) readToken() (key, error) {
	var t token
	text, err := base64.RawURLEncoding.DecodeString(r.PageToken)
	if err != nil || json.Unmarshal(text, &t) != nil || t.List != r.mark() {
		return key{}, violation("pageToken", "%s", "the token belongs to no list like this one: want the nextPageToken of a call with the same filter and order")
	}
	return key{t.Time, t.Instance, t.Offset, t.Note}, nil
}

// mark binds a token to its list.
func (r *listRequest) mark() string {
	sum := sha256.Sum256([]byte(r.binding()))
	return hex.EncodeToString(sum[:8])
}
