package contract

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What is logged of requests that fail.
const (
	noneLog    = "The request was aborted because there was no available instance."
	memoryLog  = "While handling this request, the container instance was found to be using too much memory and was terminated."
	brokenLog  = "The request failed because either the HTTP response was malformed or connection to the instance had an error."
	timeoutLog = "The request has been terminated because it has reached the maximum request timeout."
)

// about is a filter of what is logged of the requests that a word stands in.
func about(word string) string { return fmt.Sprintf("AND httpRequest.requestUrl:%q", word) }

// token is one of somebody who may call the service.
func (s site) token() string {
	s.t.Helper()
	c := s.HTTPClient()
	defer c.CloseIdleConnections()
	resp, err := c.Get("http://daemon/runnel/v1/identity-token?audience=" + url.QueryEscape(s.field("status.url")))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("a token: %s, %v\n%s", resp.Status, err, text)
	}
	return string(text)
}

// contract: ERR-400
func TestERR400MalformedRequests(t *testing.T) {
	s := plain.open(t)
	for _, bad := range []string{
		"GET / HTTP/1.1\r\nHost: HOST\r\nX\x80: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: HOST\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / a HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"GET HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"G@T / HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: x\r\n\r\n",
		"CONNECT HOST:80 HTTP/1.1\r\nHost: HOST\r\n\r\n",
	} {
		if back := s.send(bad); !strings.HasPrefix(back, "HTTP/1.1 400 ") || strings.Count(back, "HTTP/1.1 ") != 1 {
			t.Errorf("%q: %q", bad, back)
		}
	}
}

// contract: ERR-401
func TestERR401TokensThatCannotBeVerified(t *testing.T) {
	s := locked.open(t)
	good := s.token()
	for what, bad := range map[string]string{
		"garbage":           "Bearer garbage",
		"another kind":      "Basic YTpi",
		"without signature": "Bearer " + good[:strings.LastIndexByte(good, '.')+1],
		"the API's token":   "Bearer " + s.Token(),
	} {
		a := s.get("/a&b", "Authorization", bad)
		isPage(s.Host, a, 401, unauthorized)
		if got := a.Header.Get("Www-Authenticate"); !strings.HasPrefix(got, `Bearer error="invalid_token"`) {
			t.Errorf("%s: WWW-Authenticate: %s", what, got)
		}
	}
	s.get("/a&b", "Authorization", "Bearer "+good).Is(s.Host, 200)
}

// contract: ERR-403
func TestERR403CallersWithoutPermission(t *testing.T) {
	s := locked.open(t)
	isPage(s.Host, s.get("/a&b"), 403, forbidden)
}

// contract: ERR-404
func TestERR404UnknownHostsAndWhatIngressRefuses(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	isPage(d.Host, s.get("/"), 404, unknown)
	place(d, s.name, "--ingress", "internal", "--no-deploy-health-check").Exits(0)
	isPage(d.Host, s.get("/"), 404, unknown)
	d.CLI("services", "update", s.name, "--ingress", "all").Exits(0)
	s.get("/").Is(d.Host, 200)
}

// contract: ERR-413
func TestERR413BodiesThatAreTooLarge(t *testing.T) {
	s := plain.open(t)
	// The length alone is enough, and no byte is asked for.
	const head = "POST /length HTTP/1.1\r\nHost: HOST\r\nExpect: 100-continue\r\nContent-Length: "
	if back := s.send(head + fmt.Sprint(maxBody+1) + "\r\n\r\n"); !strings.HasPrefix(back, "HTTP/1.1 413 ") {
		t.Errorf("%q", back)
	}
	if code, body := s.post(s.Requests(), maxBody, true); code != 200 {
		t.Errorf("32 MiB: %d %q", code, body)
	}
}

// contract: ERR-429
func TestERR429NoInstanceInTimeAtTheMaximum(t *testing.T) {
	s := narrow.open(t)
	busy := s.hold(s.Requests())
	late := word()
	a := s.get("/"+late).Is(s.Host, 429)
	if a.Body != "Rate exceeded." || a.Took < 10*time.Second {
		t.Errorf("%q after %v", a.Body, a.Took)
	}
	s.says(about(late), noneLog, 1)
	// One that finds the instance free in time is answered.
	next := s.begin("/")
	select {
	case <-next.over:
		t.Errorf("%d by an instance that is busy", next.answer.Code)
	case <-time.After(time.Second):
	}
	busy.leave()
	next.wait().Is(s.Host, 200)
}

// contract: ERR-431
func TestERR431HeadersThatAreTooLarge(t *testing.T) {
	s := plain.open(t)
	const line, head = "GET / HTTP/1.1\r\n", "Host: plain.run.localhost\r\nConnection: close\r\nX: "
	// With the request's line they are still allowed, without it they are not.
	for size, want := range map[int]string{64<<10 - len(line): "200", 64<<10 + 1: "431", 80 << 10: "431"} {
		text := line + head + strings.Repeat("x", size-len(head)-4) + "\r\n\r\n"
		if back := s.send(text); !strings.HasPrefix(back, "HTTP/1.1 "+want+" ") {
			t.Errorf("headers of %d bytes: %.100q, want %s", size, back, want)
		}
	}
}

// contract: ERR-500a
func TestERR500aInstanceThatExceedsItsMemory(t *testing.T) {
	s := ownSite(t, "--memory", "128Mi", "--max-instances", "1")
	greedy := word()
	s.get("/memory?mib=400&is="+greedy).Is(s.Host, 500, "Error: Server Error", "The server encountered an error")
	s.says(about(greedy), memoryLog, 1)
	s.Eventually("another instance answers", func() bool { return s.get("/").Code == 200 })
}

// contract: ERR-500b
func TestERR500bNoInstanceCanBeStarted(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	d.CLI("deploy", s.name, "--image", d.Host.Shell(), "--args", "exit 7", "--allow-unauthenticated",
		"--cpu", "0.1", "--memory", "128Mi", "--no-deploy-health-check").Exits(0)
	vain := word()
	s.get("/"+vain).Is(d.Host, 500, "Error: Server Error", "The server encountered an error")
	s.says(about(vain), noneLog, 1)
}

// contract: ERR-502
func TestERR502ApplicationThatBreaksOff(t *testing.T) {
	s := plain.open(t)
	for _, answer := range []string{"", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 0\r\n\r\n"} {
		broken := word()
		s.get("/break?is="+broken+"&with="+url.QueryEscape(answer)).Is(s.Host, 503, "Service Unavailable")
		s.says(about(broken), brokenLog, 1)
	}
	// What has begun must not pass for a whole answer.
	begun := word()
	half := s.get("/break?is=" + begun + "&with=" + url.QueryEscape("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
	if half.Err == nil {
		t.Errorf("half an answer comes as %d %q", half.Code, half.Body)
	}
	s.says(about(begun), brokenLog, 1)
}

// contract: ERR-503
func TestERR503InstanceThatDiesAndServiceThatIsDisabled(t *testing.T) {
	s := ownSite(t, "--max-instances", "1", "--liveness-probe", "httpGet.path=/health,periodSeconds=10,timeoutSeconds=10,failureThreshold=1")
	for end, text := range map[string]string{
		"/health/set?ok=false": "The request failed because the instance did not answer its liveness probe and was shut down.",
		"/exit?code=3":         brokenLog,
	} {
		s.Eventually("an instance answers", func() bool { return s.get("/").Code == 200 })
		its := word()
		open := s.begin("/sleep?for=1h&is=" + its)
		s.Eventually("it has a request", func() bool { return s.get("/now").Body == "2\n" })
		s.get(end)
		if a := open.wait(); a.Code != 503 || a.Body != "Service Unavailable" {
			t.Errorf("%s: %d %q, %v", end, a.Code, a.Body, a.Err)
		}
		s.says(about(its), text, 1)
	}
	s.CLI("services", "update", s.name, "--scaling", "0").Exits(0)
	s.get("/").Is(s.Host, 503, "Service is disabled")
}

// contract: ERR-504
func TestERR504RequestTimeout(t *testing.T) {
	s := brief.open(t)
	late := word()
	a := s.get("/sleep?for=1h&is="+late).Is(s.Host, 504)
	if a.Body != "upstream request timeout" || a.Took < 15*time.Second {
		t.Errorf("%q after %v, want 15 s", a.Body, a.Took)
	}
	s.says(about(late), timeoutLog, 1)
}
