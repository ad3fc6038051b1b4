package daemon

import (
	"net/http"

	"runnel/control"
	"runnel/metadata"
)

// IdentityPath answers with an identity token of the administrator, who may call
// every service: for the audience that the query names. Whoever may use the API
// may have it.
const IdentityPath = "/runnel/v1/identity-token"

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
