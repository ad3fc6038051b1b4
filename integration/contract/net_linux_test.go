package contract

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// requestSeen is what the test server tells of a request.
type requestSeen struct {
	URI, Host, Protocol, Body, Remote string
	Headers, Trailers                 http.Header
}

// sees is what the service sees of a request by a client.
func (s site) sees(c *http.Client, header ...string) (seen requestSeen) {
	s.t.Helper()
	s.Ask(c, http.MethodGet, s.name, "/request?a=1", nil, header...).Is(s.Host, 200).Decode(s.Host, &seen)
	return seen
}

// contract: NET-1
func TestNET1IngressContainerListensOnAllAddresses(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	const alone = "Nothing listened on port 9000 of the instance; what listens on 127.0.0.1 alone cannot be reached."
	flags := []string{"--port", "9000", "--set-env-vars"}
	place(d, s.name, append(flags, "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=9000,periodSeconds=1,failureThreshold=3")...).
		Exits(1).Shows("The user-provided container failed the configured startup probe checks.", alone)
	s.get("/").Is(d.Host, 503)
	// With the default probe it may take four minutes to find out, unless the
	// container gives up.
	place(d, s.name, append(flags, "LISTEN=127.0.0.1,EXIT_AFTER=1s", "--startup-probe", "")...).
		Exits(1).Shows("failed to start and listen on the port defined provided by the PORT=9000 environment variable within the allocated timeout.")
	place(d, s.name, append(flags, "LISTEN=0.0.0.0")...).Exits(0)
	s.get("/").Is(d.Host, 200, s.name+"-00003-")
}

// contract: NET-2
func TestNET2OneContainerTakesRequestsAndTenAreTheMost(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	// containers deploys n of them, of which those below ports have a port.
	containers := func(n, ports int) rig.Result {
		args := []string{"deploy", s.name, "--allow-unauthenticated", "--concurrency", "1"}
		for i := range n {
			args = append(args, "--container", fmt.Sprintf("c%d", i), "--memory", "128Mi", "--cpu", "0.1")
			if i < ports {
				args = append(args, "--port", fmt.Sprint(8080+i))
			}
			if i == 0 {
				args = append(args, "--image", d.Host.Server())
			} else {
				args = append(args, "--image", d.Host.Shell(), "--args", "^\x01^exec sleep 100000")
			}
		}
		return d.CLI(args...)
	}
	containers(11, 1).Exits(2).Shows("11 containers", "at most 10")
	containers(2, 0).Exits(2).Shows("none of the 2 containers has a port")
	containers(2, 2).Exits(2).Shows("has a port already: want exactly one container with a port")
	d.CLI("services", "describe", s.name).Exits(1)
	containers(10, 1).Exits(0)
	s.get("/").Is(d.Host, 200, s.name)
}

// contract: NET-3
func TestNET3TLSEndsAtThePlatform(t *testing.T) {
	d := daemon(t)
	secure := rig.FreeAddress(d.Host)
	d = d.Host.ServeRequests("--ingress-tls", secure)
	pem, err := os.ReadFile(filepath.Join(d.Root, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	name := nameOf(t)
	place(d, name).Exits(0)
	for protocol, own := range map[string][]string{"HTTP/2.0": {"h2", "http/1.1"}, "HTTP/1.1": {"http/1.1"}} {
		client := d.Requests()
		transport := client.Transport.(*http.Transport)
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", secure)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, NextProtos: own}
		transport.ForceAttemptHTTP2 = slices.Contains(own, "h2")
		r, err := http.NewRequest(http.MethodGet, "https://"+name+".run.localhost/request", nil)
		if err != nil {
			t.Fatal(err)
		}
		a := rig.Do(client, r).Is(d.Host, 200)
		var seen requestSeen
		a.Decode(d.Host, &seen)
		if a.Protocol != protocol || seen.Protocol != "HTTP/1.1" || seen.Headers.Get("X-Forwarded-Proto") != "https" {
			t.Errorf("asked by %s, want %s, the container sees %+v", a.Protocol, protocol, seen)
		}
	}
}

// contract: NET-4
func TestNET4PortsNameTheirProtocol(t *testing.T) {
	one := plain.open(t)
	for _, c := range []struct {
		site
		protocol, port string
	}{{one, "HTTP/1.1", "http1"}, {duplex.beside(one), "HTTP/2.0", "h2c"}} {
		for by, client := range c.both() {
			if seen := c.sees(client); seen.Protocol != c.protocol {
				t.Errorf("asked by %s, %s sees %s, want %s", by, c.name, seen.Protocol, c.protocol)
			}
		}
		if got := c.field("spec.template.spec.containers[0].ports[0].name"); got != c.port {
			t.Errorf("the port of %s is named %q, want %q", c.name, got, c.port)
		}
	}
}

// contract: NET-15
func TestNET15EveryPathReachesTheApplication(t *testing.T) {
	s := plain.open(t)
	for _, path := range []string{"/healthz", "/healthz/", "/statusz", "/eventz", "/_ah/start", "/.well-known/x", "/computeMetadata/v1/"} {
		s.get(path).Is(s.Host, 200, "plain plain-00001-")
	}
}

// contract: NET-19
func TestNET19ContainersShareTheNetwork(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	d.CLI("deploy", s.name, "--allow-unauthenticated", "--concurrency", "1", "--max-instances", "1",
		"--container", "main", "--image", d.Host.Server(), "--port", "8080", "--cpu", "0.5", "--memory", "128Mi",
		"--container", "side", "--image", d.Host.Server(), "--cpu", "0.5", "--memory", "128Mi",
		"--set-env-vars", "SIDE_PORT=9090,LISTEN=127.0.0.1,WHO=side").Exits(0)
	// Either reaches what the other listens on, be it on 127.0.0.1.
	inner := "http://localhost:8080/fetch?url=" + url.QueryEscape("http://127.0.0.1:9090/env")
	outer := "/fetch?url=" + url.QueryEscape("http://127.0.0.1:9090/fetch?url="+url.QueryEscape(inner))
	s.Eventually("each reaches the other", func() bool { return strings.Contains(s.get(outer).Body, "WHO") })
}
