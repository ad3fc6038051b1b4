package contract

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

const (
	// project is that of who names none, and projectNumber the number of each.
	project       = "local"
	projectNumber = "123456789012"
	// askerAccount is whom the instance that asks runs as.
	askerAccount = "asker@demo.iam.gserviceaccount.com"
	// prefix begins the paths of the metadata server.
	prefix = "/computeMetadata/v1/"
)

// asker is a service whose instance asks for a test, byte for byte.
type asker struct {
	t    *testing.T
	d    *rig.Daemon
	name string
}

// theAsker is the one that tests of the metadata server share, deployed by the
// first; empty until it is there.
var theAsker struct {
	deploy sync.Once
	name   string
}

// metadata is what asks the metadata server.
func metadata(t *testing.T) asker {
	t.Helper()
	d := daemon(t)
	theAsker.deploy.Do(func() {
		theAsker.name = newAsker(t, d, nameOf(t, "asker"), askerAccount).name
	})
	if theAsker.name == "" {
		t.Fatal("the service that asks has not started")
	}
	return asker{t, d, theAsker.name}
}

// newAsker deploys one more.
func newAsker(t *testing.T, d *rig.Daemon, name, account string) asker {
	t.Helper()
	d.Deploy(name, "--memory", "128Mi", "--service-account", account).Exits(0)
	return asker{t, d, name}
}

// dial sends text to an address from inside the instance.
func (a asker) dial(to, text string) rig.Answer {
	a.t.Helper()
	return a.d.Ask(a.d.Requests(), http.MethodPost, a.name, "/dial?to="+url.QueryEscape(to), strings.NewReader(text))
}

// reply is what a metadata server says.
type reply struct {
	*http.Response
	body string
}

// raw sends a request as it stands.
func (a asker) raw(to, request string) reply {
	a.t.Helper()
	said := a.dial(to, request).Is(a.d.Host, 200)
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(said.Body)), nil)
	if err != nil {
		a.t.Fatalf("%q is answered %q: %v", request, said.Body, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Errorf("%q is answered %q: %v", request, said.Body, err)
	}
	return reply{resp, string(body)}
}

// At asks for a path at an address, with the header and those beside it.
func (a asker) At(to, path string, headers ...string) reply {
	a.t.Helper()
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: metadata.google.internal", "Connection: close", "Metadata-Flavor: Google"}, headers...)
	return a.raw(to, strings.Join(lines, "\r\n")+"\r\n\r\n")
}

// Get asks the metadata server for a path of Cloud Run's.
func (a asker) Get(path string, headers ...string) reply {
	a.t.Helper()
	return a.At("169.254.169.254:80", prefix+path, headers...)
}

// is fails the test unless the answer has a status and is body; an empty one is
// anything that is not empty.
func (r reply) is(t *testing.T, code int, body string) reply {
	t.Helper()
	if r.StatusCode != code || body != "" && r.body != body || r.body == "" {
		t.Errorf("%s %q, want %d %q", r.Status, r.body, code, body)
	}
	return r
}
