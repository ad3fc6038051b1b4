package integration

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: LIFE-13, ERR-503, REQ-9
// A process that ends takes its requests along, none of which is sent a second
// time, and another instance takes its place.
func TestExitDuringARequest(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("frail", "--cpu", "1", "--max-instances", "2").Exits(0)
	client := d.Requests()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		before, _ := selfOf(d, "frail")
		open := beginGet(d, "frail", "/sleep?for=1h")
		d.Eventually("two requests are there", func() bool { return numberAt(d, "frail", "/now") == 2 })
		d.Ask(client, http.MethodGet, "frail", "/", nil).Is(h, 200)
		d.Ask(client, method, "frail", "/exit?code=3&say=once", nil).Is(h, 503, "Service Unavailable")
		open.wait().Is(h, 503, "Service Unavailable")
		replacedBy(d, "frail", before)
	}
	tells(d, "frail", "exits because of POST once", "Container called exit(3).", brokenLog)
	log := ""
	d.Until("each broken request is told", func() bool { log = toldBy(d, "frail"); return strings.Count(log, brokenLog) >= 4 })
	for _, line := range []string{"exits because of GET once", "exits because of POST once"} {
		if n := strings.Count(log, line); n != 1 {
			t.Errorf("%q is there %d times, want once\n%s", line, n, rig.Clip(log))
		}
	}
	if n := strings.Count(log, brokenLog); n != 4 {
		t.Errorf("%d requests are told as broken off, want 4\n%s", n, rig.Clip(log))
	}
}

// contract: ERR-500b, SC-10, HC-9, LIFE-13
// What never comes up is told so, and is tried less and less often; the same
// holds for what does not last.
func TestCrashLoop(t *testing.T) {
	rig.HostOnly(t, "the scheduler's tests prove it in less time")
	h := openHost(t)
	d := h.ServeRequests()
	d.CLI("deploy", "never", "--image", h.Shell(), "--args", "^\x01^exit 7", "--allow-unauthenticated",
		"--cpu", "0.2", "--memory", "128Mi", "--no-deploy-health-check").Exits(0)
	begin := time.Now()
	d.Deploy("short", "--cpu", "0.2", "--min-instances", "1", "--set-env-vars", "EXIT_AFTER=500ms").Exits(0)
	for time.Since(begin) < 9*time.Second {
		d.Get("never", "/").Is(h, 500, "The server encountered an error")
		<-time.After(100 * time.Millisecond)
	}
	tells(d, "never", noneLog, "Container called exit(7).")
	tells(d, "short", "Container called exit(3).")
	for service, text := range map[string]string{"never": "Container called exit(7).", "short": "Container called exit(3)."} {
		// After 0, 1, 3, 7 and 15 seconds, and whatever the clock adds.
		log := toldBy(d, service)
		n, most := strings.Count(log, text), 4+int(time.Since(begin)/(8*time.Second))
		if n < 2 || n > most {
			t.Errorf("%s was started %d times in %v, want 2 to %d\n%s", service, n, time.Since(begin), most, rig.Clip(log))
		}
	}
}

// contract: ERR-502, NET-7
// An answer that is none is no harm to the instance.
func TestBrokenAnswers(t *testing.T) {
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("odd").Exits(0)
	instance, boot := selfOf(d, "odd")
	var asking sync.WaitGroup
	answers := []string{
		"", "HTTP/1.1 200 OK\r\nContent-Le", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
	}
	for _, text := range answers {
		asking.Go(func() {
			d.Get("odd", "/break?with="+url.QueryEscape(text)).Is(h, 503, "Service Unavailable")
		})
	}
	asking.Wait()
	half := d.Get("odd", "/break?with="+url.QueryEscape("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
	if half.Err == nil { // it must not pass for a whole one
		t.Errorf("half an answer comes as %d %q, %v", half.Code, half.Body, half.Err)
	}
	tells(d, "odd", brokenLog)
	d.Until("each is told", func() bool { return strings.Count(toldBy(d, "odd"), brokenLog) == len(answers)+1 })
	if again, now := selfOf(d, "odd"); again != instance || now != boot {
		t.Errorf("another instance answers: %s, was %s", again, instance)
	}
}
