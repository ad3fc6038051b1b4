package daemon

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
)

// Paths of what the daemon tells about itself.
const (
	// SettingsPath answers with Settings.
	SettingsPath = "/runnel/v1/settings"
	// TokenPath answers with the token of callers over TCP, on the unix socket
	// alone: who may use that needs none, but hands it to programs that do.
	TokenPath = "/runnel/v1/token"
	// CAPath answers with the certificate authority of a generated certificate,
	// in PEM form; 404 if there is none.
	CAPath = "/runnel/v1/ca"
)

// Settings are what a client should know of a daemon.
type Settings struct {
	Project       string `json:"project"`
	ProjectNumber string `json:"projectNumber"`
	Region        string `json:"region"`
	// API is the TCP address, HOST:PORT; empty for none.
	API string `json:"api,omitempty"`
	// TLS says that it speaks TLS, CA that the certificate is of an authority of
	// the daemon's own.
	TLS bool `json:"tls,omitempty"`
	CA  bool `json:"ca,omitempty"`
	// Ingress is the TCP address where services take plain requests, IngressTLS
	// where they take them by TLS; empty for none. Domain is what their hosts
	// are below.
	Ingress    string `json:"ingress,omitempty"`
	IngressTLS string `json:"ingressTLS,omitempty"`
	Domain     string `json:"domain,omitempty"`
}

// settings tells callers what they should know.
func (d *Daemon) settings(w http.ResponseWriter, _ *http.Request) {
	s := Settings{
		Project: d.cfg.Project, ProjectNumber: d.cfg.ProjectNumber, Region: d.cfg.Region,
		TLS: d.cfg.TLS.On(), CA: d.cfg.TLS.Generate,
	}
	for _, l := range d.listeners {
		if l.Addr().Network() == "tcp" {
			s.API = l.Addr().String()
		}
	}
	for _, o := range d.doors {
		if o.tls == nil && s.Ingress == "" {
			s.Ingress = o.listener.Addr().String()
		}
		if o.tls != nil && s.IngressTLS == "" {
			s.IngressTLS = o.listener.Addr().String()
		}
	}
	if len(d.doors) > 0 {
		s.Domain = d.cfg.Ingress.Domain
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(s) // who has gone needs no answer
}

// giveToken hands the token to who needs none.
func (d *Daemon) giveToken(w http.ResponseWriter, r *http.Request) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil || local.Network() != "unix" {
		http.Error(w, "only on the unix socket", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(d.token)) // as above
}

// giveCA hands out what clients must trust.
func (d *Daemon) giveCA(w http.ResponseWriter, r *http.Request) {
	if !d.cfg.TLS.Generate {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	http.ServeFile(w, r, filepath.Join(d.root.Dir, tlsName, "ca.pem"))
}
