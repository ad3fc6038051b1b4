package metadata

import (
	"net/http"
	"strings"
	"time"
)

const (
	// maxScopes bounds how many scopes one token may be asked for.
	maxScopes = 64
	// maxParameter bounds the scopes, and the audience, in bytes: tokens hold
	// them, and are kept.
	maxParameter = 2 << 10
)

// serveToken answers service-accounts/ACCOUNT/token: an access token and how
// long it still lasts.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request, id Identity) {
	if h.tokens == nil {
		notFound(w)
		return
	}
	wanted := r.URL.Query().Get("scopes")
	// Go separates scopes by commas, others by spaces.
	scopes := strings.FieldsFunc(wanted, func(c rune) bool { return c == ',' || c == ' ' })
	if len(scopes) > maxScopes || len(wanted) > maxParameter {
		refuse(w, http.StatusBadRequest, "The parameter scopes names too many scopes.")
		return
	}
	token, err := h.tokens.AccessToken(r.Context(), id, scopes)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answerJSON(w, r, struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		TokenType   string `json:"token_type"`
	}{token.Value, int64(time.Until(token.Expires) / time.Second), "Bearer"})
}

// serveIdentity answers service-accounts/ACCOUNT/identity: a JWT for an
// audience, as bare text.
func (h *Handler) serveIdentity(w http.ResponseWriter, r *http.Request, id Identity) {
	if h.tokens == nil {
		notFound(w)
		return
	}
	q := r.URL.Query()
	audience, format := q.Get("audience"), q.Get("format")
	switch {
	case audience == "":
		refuse(w, http.StatusBadRequest, "The parameter audience is missing or empty.")
		return
	case len(audience) > maxParameter:
		refuse(w, http.StatusBadRequest, "The parameter audience is too long.")
		return
	case format != "" && format != "standard" && format != "full":
		refuse(w, http.StatusBadRequest, "The parameter format is "+format+"; it can be standard or full.")
		return
	}
	token, err := h.tokens.IdentityToken(r.Context(), id, audience, format == "full")
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answerText(w, r, token)
}
