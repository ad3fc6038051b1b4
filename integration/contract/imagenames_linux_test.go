package contract

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/image/imagetest"
)

// contract: IMG-9
func TestIMG9ReferenceWithoutAHostIsDockerHubs(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	imagetest.Push(t, saying(t, "from the hub"), server.Host+"/library/nginx:latest")
	imagetest.Push(t, saying(t, "from a team"), server.Host+"/team/app:1")
	proxy, authority := standIn(t, "index.docker.io", server.Host)
	for ref, want := range map[string]string{"nginx": "from the hub", "team/app:1": "from a team"} {
		d.Host.StartWith(func(c *exec.Cmd) {
			c.Env = append(c.Env, "HTTPS_PROXY="+proxy, "SSL_CERT_FILE="+authority)
		}, "run", "--image", ref, "--cpu", "0.1", "--memory", "128Mi").Wait().Exits(0).Shows("0 stdout " + want)
	}
	if asked := server.Requests(); asked["GET /v2/library/nginx/manifests/latest"]+asked["HEAD /v2/library/nginx/manifests/latest"] == 0 {
		t.Errorf("the hub was asked for %v", asked)
	}
}

// standIn is the URL of a proxy behind which a host, by HTTPS, is the registry
// at address, and the file of the authority whose word the host has.
func standIn(t *testing.T, host, address string) (proxy, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	hub := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address}))
	hub.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	hub.StartTLS()
	t.Cleanup(hub.Close)
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != host+":443" {
			t.Errorf("the proxy is asked to %s %s", r.Method, r.Host)
			http.Error(w, "no way", http.StatusForbidden)
			return
		}
		connect(w, hub.Listener.Addr().String())
	}))
	t.Cleanup(way.Close)
	return way.URL, authority
}

// connect hands a client's connection to an address, until either hangs up.
func connect(w http.ResponseWriter, address string) {
	w.WriteHeader(http.StatusOK)
	client, sent, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, sent) // what was read already, too; the other direction tells
		_ = server.Close()           // as above
	}()
	_, _ = io.Copy(client, server) // whoever hangs up has its reasons
}

// contract: IMG-10
func TestIMG10ImagesAreNamedByTagOrByDigest(t *testing.T) {
	d := daemon(t)
	server := imagetest.Serve(t)
	digest := imagetest.Push(t, saying(t, "first"), server.Host+"/app:1").Descriptor.Digest
	imagetest.Push(t, saying(t, "second"), server.Host+"/app:1")
	imagetest.Push(t, saying(t, "latest"), server.Host+"/app")
	prints(t, d, nameOf(t, "tag"), server.Host+"/app:1", "second\n")
	prints(t, d, nameOf(t, "none"), server.Host+"/app", "latest\n")
	prints(t, d, nameOf(t, "digest"), server.Host+"/app@"+digest, "first\n")
	none := "@sha256:" + strings.Repeat("0", 64)
	for name, ref := range map[string]string{"notag": server.Host + "/app:2", "nodigest": server.Host + "/app" + none} {
		deletesJob(t, d, nameOf(t, name))
		d.CLI("jobs", "create", nameOf(t, name), "--image", ref).Exits(1).Shows(ref, "not found")
	}
}

// contract: IMG-13
func TestIMG13NamesHave49CharactersAndAreUnique(t *testing.T) {
	d := daemon(t)
	longest := nameOf(t, strings.Repeat("x", 49-len("img13-")))
	elsewhere := [][]string{nil, {"--region", "europe-west1"}, {"--project", "other"}}
	for _, kind := range []struct{ make, remove []string }{
		{[]string{"jobs", "create", longest, "--image", d.Host.Shell()}, []string{"jobs", "delete", longest, "--quiet"}},
		{[]string{"deploy", longest, "--image", d.Host.Server(), "--memory", "256Mi"}, []string{"services", "delete", longest, "--quiet"}},
	} {
		for _, where := range elsewhere {
			d.CLI(slices.Concat(kind.make, where)...).Exits(0)
			t.Cleanup(func() { d.CLI(slices.Concat(kind.remove, where)...).Exits(0) })
		}
		tooLong := slices.Clone(kind.make)
		tooLong[slices.Index(tooLong, longest)] += "x"
		if r := d.CLI(tooLong...); r.Code == 0 {
			t.Errorf("%q takes 50 characters", tooLong)
		} else {
			r.Shows("at most 49")
		}
	}
	d.CLI("jobs", "create", longest, "--image", d.Host.Shell()).Exits(1).Shows("exists already")
}
