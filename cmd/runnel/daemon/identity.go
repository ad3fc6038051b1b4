package daemon

import (
	"encoding/json"
	"net/http"

	"runnel/control"
	"runnel/metadata"
)

const (
	// IdentityPath answers with an identity token of the administrator, who may
	// call every service: for the audience that the query names. Whoever may use
	// the API may have it.
	IdentityPath = "/runnel/v1/identity-token"
	// KeysPath answers with the public keys of all tokens, a JSON Web Key Set.
	KeysPath = "/.well-known/jwks.json"
)

// giveIdentity hands out a token to call services with.
func (d *Daemon) giveIdentity(w http.ResponseWriter, r *http.Request) {
	audience := r.URL.Query().Get("audience")
	if audience == "" {
		http.Error(w, "audience is missing: want the URL of a service", http.StatusBadRequest)
		return
	}
	who := metadata.Identity{
		InstanceID: metadata.DeriveInstanceID("administrator"),
		ProjectID:  d.cfg.Project, ProjectNumber: d.cfg.ProjectNumber, Region: d.cfg.Region,
		ServiceAccount: control.Administrator,
	}
	token, err := d.machine.Signer.IdentityToken(r.Context(), who, audience, false)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(token)) // who has gone needs no answer
}

// giveKeys hands out what verifies tokens.
func (d *Daemon) giveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(d.machine.Signer.JWKS()) // as above
}
