package metadata

import (
	"encoding/json"
	"net/http"
)

// KeySetPath is where others look for the public keys.
const KeySetPath = "/.well-known/jwks.json"

// KeySet serves JWKS as JSON, at whichever path it is asked. Anybody may know
// the keys.
func (s *Signer) KeySet() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, http.StatusMethodNotAllowed, "Only GET and HEAD are answered.")
			return
		}
		body, err := json.Marshal(s.JWKS())
		if err != nil {
			refuse(w, http.StatusInternalServerError, "The keys have no JSON form: "+err.Error())
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Content-Type", "application/json")
		// The client's connection is all that can fail, and then nobody listens.
		_, _ = w.Write(body)
	})
}
