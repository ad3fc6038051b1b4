package gcloudenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// Over TCP the daemon keeps its token to itself, so there is nothing to copy.
func TestATCPAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"http://127.0.0.1:1", "https://localhost:1"} {
		var stdout, stderr bytes.Buffer
		env := cli.Env{Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return map[string]string{"RUNNEL_HOST": host}[name] }}
		code := cli.Execute(env, New(env), []string{"--dir", t.TempDir()})
		if code != cli.ExitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), "unix socket") {
			t.Errorf("%s: exit %d\n%s%s", host, code, stdout.String(), stderr.String())
		}
	}
}

// gcloud puts the region before the host's name, so that must be a name too.
func TestTheNameIsOneThatIsKnownWithTheRegionBeforeIt(t *testing.T) {
	t.Parallel()
	for known, want := range map[string]string{"r-localhost": "localhost", "r-run.localhost": "run.localhost", "none": ""} {
		lookup := func(_ context.Context, name string) ([]string, error) {
			if name != known {
				return nil, errors.New("unknown")
			}
			return []string{"127.0.0.1"}, nil
		}
		name, ok := localName(t.Context(), "r", lookup)
		if ok != (want != "") || ok && name != want {
			t.Errorf("%s: %s, %v, want %s", known, name, ok, want)
		}
	}
	for _, tt := range []struct {
		s    daemon.Settings
		want string
	}{
		{daemon.Settings{API: "127.0.0.1:80"}, "http://run.localhost:80"},
		{daemon.Settings{API: "[::]:80", TLS: true}, "https://run.localhost:80"},
		{daemon.Settings{API: "192.0.2.1:80"}, "http://192.0.2.1:80"},
	} {
		if got, err := endpointOf(tt.s, "run.localhost"); got != tt.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", tt.s.API, got, err, tt.want)
		}
	}
}

func TestQuotedWordsMeanThemselvesToAShell(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"", "a b", "it's", "$(false)", "`x`\n\\", "'\"'"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q: %q, %v", word, out, err)
		}
	}
}
