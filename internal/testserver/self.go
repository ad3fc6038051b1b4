package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// boot tells this process from every other one.
var boot = rand.Text()

// self tells which instance and which process this is.
func (s *server) self(w http.ResponseWriter, r *http.Request) {
	id, err := metadata(r, "instance/id")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, id, boot)
}

// identity sends a token of the instance's own account, for an audience.
func (s *server) identity(w http.ResponseWriter, r *http.Request) {
	token, err := identity(r, r.FormValue("audience"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, token) // who has gone needs nothing
}

// identity is a token of the instance's own account.
func identity(r *http.Request, audience string) (string, error) {
	return metadata(r, "instance/service-accounts/default/identity?audience="+url.QueryEscape(audience))
}

// metadata is what the metadata server says at a path.
func metadata(r *http.Request, path string) (string, error) {
	where := "http://metadata.google.internal/computeMetadata/v1/" + path
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, where, nil)
	if err != nil {
		return "", err
	}
	ask.Header.Set("Metadata-Flavor", "Google")
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// read sends a file.
func (s *server) read(w http.ResponseWriter, r *http.Request) {
	text, err := os.ReadFile(r.FormValue("path"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	_, _ = w.Write(text) // who has gone needs nothing
}
