package contract

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

// contract: NET-7
func TestNET7HeadersAreOfTheAllowedCharacters(t *testing.T) {
	s := plain.open(t)
	const name, value = "X!#$%&'*+-.^_`|~9z", "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~ \tend"
	if back := s.send("GET /request HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n" + name + ": " + value + "\r\n\r\n"); !strings.HasPrefix(back, "HTTP/1.1 200 ") {
		t.Errorf("a request with all that is allowed: %q", rig.Clip(back))
	}
	s.get("/break?with="+url.QueryEscape("HTTP/1.1 200 OK\r\n"+name+": "+value+"\r\nContent-Length: 2\r\n\r\nok")).Is(s.Host, 200, "ok")
	var asking sync.WaitGroup
	for _, bad := range []string{
		"X\x80: a", "X\xc3\xa9: a", "X y: a", "X\ty: a", "X : a", "X\x01: a", "X\x7f: a", ": a", // a second colon belongs to the value
		"X: \x01", "X: \x1f", "X: \x7f", "X: \x80", "X: \xc3\xa9", "X: \x00", "X: a\rb",
	} {
		asking.Go(func() {
			if back := s.send("GET / HTTP/1.1\r\nHost: HOST\r\n" + bad + "\r\n\r\n"); !strings.HasPrefix(back, "HTTP/1.1 400 ") {
				t.Errorf("a request with %q: %q", bad, rig.Clip(back))
			}
			a := s.get("/break?with=" + url.QueryEscape("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"+bad+"\r\n\r\nok"))
			if a.Code != 503 || a.Body != "Service Unavailable" {
				t.Errorf("an answer with %q: %d %q, %v", bad, a.Code, a.Body, a.Err)
			}
		})
	}
	asking.Wait()
}

// contract: NET-8
func TestNET8AnswersWithCookiesArePrivate(t *testing.T) {
	one := plain.open(t)
	for _, s := range []site{one, duplex.beside(one)} {
		for by, client := range s.both() {
			// The application says public.
			a := s.Ask(client, http.MethodGet, s.name, "/cookie", nil).Is(s.Host, 200)
			if got := a.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "private" || a.Header.Get("Set-Cookie") != "a=b" {
				t.Errorf("%s by %s: %v", s.name, by, a.Header)
			}
		}
	}
	a := one.get("/break?with="+url.QueryEscape("HTTP/1.1 200 OK\r\nCache-Control: public\r\nContent-Length: 0\r\n\r\n")).Is(one.Host, 200)
	if got := a.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "public" {
		t.Errorf("without a cookie it is %q, want public", got)
	}
}

// contract: NET-12
func TestNET12ForwardingHeadersReachTheApplication(t *testing.T) {
	s := plain.open(t)
	const id, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for by, client := range s.both() {
		seen := s.sees(client, "X-Forwarded-For", "192.0.2.1", "Traceparent", "00-"+id+"-"+span+"-01")
		for field, want := range map[string]string{
			"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": "http", "Forwarded": `for="127.0.0.1";proto=http`,
			"Traceparent": "00-" + id + "-" + span + "-01", "X-Cloud-Trace-Context": id + "/13235353014750950193;o=1",
		} {
			if got := seen.Headers.Values(field); !slices.Equal(got, []string{want}) {
				t.Errorf("by %s %s is %q, want %q", by, field, got, want)
			}
		}
		if seen.Host != "plain.run.localhost" || seen.URI != "/request?a=1" {
			t.Errorf("by %s it sees host %q, target %q", by, seen.Host, seen.URI)
		}
	}
	// A request that belongs to no trace begins one.
	seen := s.sees(s.Requests())
	fresh := regexp.MustCompile(`^([0-9a-f]{32})/[1-9][0-9]*;o=1$`).FindStringSubmatch(seen.Headers.Get("X-Cloud-Trace-Context"))
	if fresh == nil || !regexp.MustCompile("^00-"+fresh[1]+"-[0-9a-f]{16}-01$").MatchString(seen.Headers.Get("Traceparent")) {
		t.Errorf("a new trace is %q and %q", seen.Headers.Get("X-Cloud-Trace-Context"), seen.Headers.Get("Traceparent"))
	}
}

// contract: NET-13
func TestNET13SignatureOfTheCallersTokenIsRemoved(t *testing.T) {
	s := locked.open(t)
	token := s.token()
	want := token[:strings.LastIndexByte(token, '.')] + ".SIGNATURE_REMOVED_BY_GOOGLE"
	for by, client := range s.both() {
		if got := s.sees(client, "Authorization", "Bearer "+token).Headers.Values("Authorization"); !slices.Equal(got, []string{"Bearer " + want}) {
			t.Errorf("by %s the application sees %q", by, got)
		}
	}
	// What is left of it opens nothing.
	s.get("/", "Authorization", "Bearer "+want).Is(s.Host, 401)
}

// contract: NET-14
func TestNET14ServerlessAuthorizationIsWhatIsChecked(t *testing.T) {
	s := locked.open(t)
	good := "Bearer " + s.token()
	seen := s.sees(s.Requests(), "X-Serverless-Authorization", good, "Authorization", "Bearer of.my.own")
	if own, platform := seen.Headers.Values("Authorization"), seen.Headers.Values("X-Serverless-Authorization"); !slices.Equal(own, []string{"Bearer of.my.own"}) || len(platform) != 0 {
		t.Errorf("the application sees Authorization: %q, X-Serverless-Authorization: %q", own, platform)
	}
	s.get("/", "X-Serverless-Authorization", "Bearer garbage", "Authorization", good).Is(s.Host, 401)
}
