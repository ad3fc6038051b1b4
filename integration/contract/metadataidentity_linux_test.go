package contract

import (
	"slices"
	"strings"
	"testing"
)

// contract: MD-19
func TestMD19InstancesHaveTheirOwnIdentity(t *testing.T) {
	m := metadata(t)
	const account = "other@demo.iam.gserviceaccount.com"
	other := newAsker(t, m.d, nameOf(t), account)
	answers := map[string]bool{}
	for _, a := range []struct {
		asker
		own, foreign string
	}{{m, askerAccount, account}, {other, account, askerAccount}} {
		id := a.Get("instance/id").is(t, 200, "").body
		token := a.Get("instance/service-accounts/default/token").is(t, 200, "").body
		answers[id], answers[token] = true, true
		for _, claim := range [][]string{
			nil, {"Forwarded: for=100.64.0.2;host=other"}, {"X-Real-IP: 100.64.0.2"}, {"X-Google-Metadata-Request: True"},
			{"X-Forwarded-Host: other"}, {"X-Serverless-Authorization: Bearer " + token},
		} {
			a.Get("instance/id", claim...).is(t, 200, id)
			a.Get("instance/service-accounts/default/email", claim...).is(t, 200, a.own)
		}
		for _, path := range []string{"email", "token", "identity?audience=x", ""} {
			if r := a.Get("instance/service-accounts/" + a.foreign + "/" + path); r.StatusCode != 404 {
				t.Errorf("%s of another account: %s %q", path, r.Status, r.body)
			}
		}
		if says := verified(t, a.d, a.Get("instance/service-accounts/default/identity?audience=x").body); says.Email != a.own {
			t.Errorf("the token of %s says %+v", a.own, says)
		}
	}
	if len(answers) != 4 {
		t.Errorf("two instances have the ids and tokens %v", answers)
	}
}

// contract: MD-20
func TestMD20NameAndAddressLeadToEachOther(t *testing.T) {
	m := metadata(t)
	g := asGoSees(m)
	if !slices.Contains(g.library.Addresses, "169.254.169.254") || !slices.ContainsFunc(g.library.Names, func(name string) bool {
		return strings.TrimSuffix(name, ".") == "metadata.google.internal"
	}) {
		t.Errorf("the name has the addresses %q, the address the names %q", g.library.Addresses, g.library.Names)
	}
	// The resolver itself, beside /etc/hosts.
	logs := runScript(t, m.d, `nslookup -type=a metadata.google.internal; nslookup -type=ptr 254.169.254.169.in-addr.arpa`)
	if !strings.Contains(logs, "Address: 169.254.169.254\n") || !strings.Contains(logs, "name = metadata.google.internal") {
		t.Errorf("the resolver says\n%s", logs)
	}
}

// contract: ATK-19
func TestATK19MetadataServerIsDeafToDetours(t *testing.T) {
	m := metadata(t)
	id := m.Get("instance/id").is(t, 200, "").body
	const to, flavor = "169.254.169.254:80", "Metadata-Flavor: Google\r\n"
	for _, path := range []string{"instance/id", "instance/service-accounts/default/token", "instance/service-accounts/default/identity?audience=x", "?recursive=true"} {
		for _, headers := range []string{
			"Host: metadata.google.internal\r\n",
			"Host: metadata.google.internal\r\nX-Metadata-Flavor: Google\r\n",
			"Host: metadata.google.internal\r\nX-Forwarded-For: 127.0.0.1\r\n" + flavor,
			"Host: metadata.google.internal\r\nX-Forwarded-For:\r\n" + flavor,
			"Host: rebound.example\r\n" + flavor,
			"Host: metadata.google.internal.rebound.example:80\r\n" + flavor,
		} {
			r := m.raw(to, "GET "+prefix+path+" HTTP/1.1\r\nConnection: close\r\n"+headers+"\r\n")
			if r.StatusCode != 403 || strings.Contains(r.body, id) || strings.Contains(r.body, "eyJ") {
				t.Errorf("%s with %q: %s %q", path, headers, r.Status, r.body)
			}
		}
	}
	// An absolute address in the request's first line has the last word on the host.
	if r := m.raw(to, "GET http://rebound.example"+prefix+"instance/id HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n"+flavor+"\r\n"); r.StatusCode != 403 {
		t.Errorf("under another name in the first line: %s %q", r.Status, r.body)
	}
	for _, host := range []string{"metadata.google.internal", "metadata.google.internal.:80", "169.254.169.254"} {
		r := m.raw(to, "GET "+prefix+"instance/id HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n"+flavor+"\r\n")
		r.is(t, 200, id)
	}
	// Other ways to write than to ask.
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if r := m.raw(to, method+" "+prefix+"instance/id HTTP/1.1\r\nConnection: close\r\nHost: metadata\r\n"+flavor+"\r\n"); r.StatusCode != 405 {
			t.Errorf("%s: %s %q", method, r.Status, r.body)
		}
	}
}
