package gcloudenv

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/daemon"
)

// serve answers as a daemon does, on a unix socket, which it returns.
func serve(t *testing.T, s daemon.Settings) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "runnel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc(daemon.SettingsPath, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s) })
	mux.HandleFunc(daemon.TokenPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") })
	mux.HandleFunc(daemon.CAPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "authority") })
	server := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until Close
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return socket
}

// environment is what "runnel gcloud-env" prints.
func environment(t *testing.T, socket, dir string, variables map[string]string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := New(cli.Env{Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return variables[name] }})
	if code := cli.Execute(cli.Env{Stdout: &stdout, Stderr: &stderr}, cmd, []string{"--host", socket, "--dir", dir}); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr.String())
	}
	return stdout.String()
}

func TestTheTokenIsCopiedForTheUserAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := environment(t, serve(t, daemon.Settings{Project: "p", Region: "r", API: "127.0.0.1:80"}), dir, nil)
	token := filepath.Join(dir, "api-token")
	if !strings.Contains(out, "export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE='"+token+"'\n") || strings.Contains(out, "CA_") {
		t.Error(out)
	}
	info, err := os.Stat(token)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// Python's requests lets certificates that its own variables name win over
// those that gcloud is told of.
func TestACertificateAuthorityWinsOverThatOfRequests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket := serve(t, daemon.Settings{Project: "p", Region: "r", API: "127.0.0.1:80", TLS: true, CA: true})
	ca := "='" + filepath.Join(dir, "ca.pem") + "'\n"
	for _, set := range []string{"", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		out := environment(t, socket, dir, map[string]string{set: "/etc/ssl/all.pem"})
		if !strings.Contains(out, "export CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"+ca) || strings.Contains(out, "export REQUESTS_CA_BUNDLE"+ca) != (set != "") {
			t.Errorf("with %q:\n%s", set, out)
		}
	}
}

// Shells that speak to two daemons do not take the token from each other.
func TestEachDaemonHasADirectoryOfItsOwn(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/c")
	for host, want := range map[string]string{
		"":                               "/c/runnel",
		"unix:///run/runnel/runnel.sock": "/c/runnel",
		"/run/runnel/runnel.sock":        "/c/runnel",
		"unix:///tmp/a/s":                "/c/runnel/tmp%2Fa%2Fs",
		"/tmp/a/s":                       "/c/runnel/tmp%2Fa%2Fs",
	} {
		if got, err := ownDir(host); got != want || err != nil {
			t.Errorf("%q: %s, %v, want %s", host, got, err, want)
		}
	}
}
