package contract

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// contract: REQ-1
func TestREQ1RequestTimeoutCountsFromArrival(t *testing.T) {
	d := plain.open(t)
	if got := d.field("spec.template.spec.timeoutSeconds"); got != "300" {
		t.Errorf("by default a request has %s seconds, want 300", got)
	}
	s := site{d.Daemon, t, nameOf(t)}
	s.gone()
	for _, refused := range []string{"0", "3601"} {
		place(d.Daemon, s.name, "--timeout", refused).Exits(2).Shows("want 1 to 3600 seconds")
	}
	// The first request is there before the first instance, which takes long.
	const start = 30 * time.Second
	place(d.Daemon, s.name, "--timeout", "1", "--no-deploy-health-check", "--set-env-vars", "START_DELAY="+start.String()).Exits(0)
	a := s.get("/").Is(d.Host, 504, "upstream request timeout")
	if a.Took < time.Second || a.Took >= start {
		t.Errorf("given up after %v, want 1 s", a.Took)
	}
	place(d.Daemon, s.name, "--timeout", "3600", "--no-deploy-health-check").Exits(0)
}

// contract: REQ-2
func TestREQ2HandlerOfALateRequestRunsOn(t *testing.T) {
	s := brief.open(t)
	before, late := s.boot(), word()
	s.get("/sleep?for=16s&stubborn=1&say="+late).Is(s.Host, 504)
	s.says("", "slept "+late, 1)
	if now := s.boot(); now != before {
		t.Errorf("another instance answers: %s, was %s", now, before)
	}
}

// contract: REQ-3
// Eighty requests are answered at a time, and one more finds no place.
func TestREQ3InstancesTake80RequestsAtATime(t *testing.T) {
	s := ownSite(t, "--max-instances", "1")
	client := s.Requests()
	for range 79 {
		s.hold(client)
	}
	last := s.Hold(s.name)
	s.get("/").Is(s.Host, 429)
	// One that ends: where a client leaves, the instance may hear of it only after the
	// next request has come.
	last.Finish().Is(s.Host, 200)
	s.Eventually("there is a place again", func() bool { return s.get("/").Code == 200 })
	if most, _, _ := strings.Cut(s.get("/most").Body, " "); most != "80" {
		t.Errorf("at most %s requests at a time, want 80", most)
	}
	const concurrency = "spec.template.spec.containerConcurrency"
	for other, want := range map[string]string{narrow.beside(s).field(concurrency): "1", plain.beside(s).field(concurrency): "1000"} {
		if other != want {
			t.Errorf("concurrency is %s, want %s", other, want)
		}
	}
	place(s.Daemon, s.name, "--concurrency", "1001").Exits(2).Shows("want 1 to 1000")
}

// contract: REQ-4
func TestREQ4LessThanOneCPUTakesOneRequestAtATime(t *testing.T) {
	d := daemon(t)
	s := site{d, t, nameOf(t)}
	s.gone()
	for _, cpu := range []string{"0.08", "0.5", "0.999"} {
		place(d, s.name, "--cpu", cpu, "--concurrency", "2").Exits(2).Shows("2 requests at a time need at least 1 CPU, and the instance has " + cpu)
	}
	for _, may := range [][]string{{"--cpu", "0.999", "--concurrency", "1"}, {"--cpu", "1", "--concurrency", "2"}} {
		place(d, s.name, append(may, "--no-deploy-health-check")...).Exits(0)
	}
	// What is there already counts, too.
	place(d, s.name, "--cpu", "0.5").Exits(2).Shows("need at least 1 CPU")
}

// contract: REQ-5
func TestREQ5ConcurrencyOfOneIsOneRequestAtATime(t *testing.T) {
	s := ownSite(t, "--concurrency", "1", "--max-instances", "1")
	client := s.Requests()
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			s.Ask(client, http.MethodGet, s.name, "/sleep?for=200ms", nil).Is(s.Host, 200, "slept")
		})
	}
	asking.Wait()
	if most, _, _ := strings.Cut(s.get("/most").Is(s.Host, 200).Body, " "); most != "1" {
		t.Errorf("it has had %s requests at a time", most)
	}
}

// upload is a request whose body goes on, and comes back.
type upload struct {
	stream
	body *io.PipeWriter
}

// upload begins such a request, and returns when an instance has it.
func (s site) upload() upload {
	s.t.Helper()
	in, out := io.Pipe()
	s.t.Cleanup(func() { _ = out.Close() }) // a pipe's cannot fail
	go func() { _, _ = io.WriteString(out, "begin") }()
	u := upload{s.open(s.Requests(), "/echo", in), out}
	u.comes(s, "begin")
	return u
}

// comes reads what the service has sent back.
func (u upload) comes(s site, want string) {
	s.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(u.in, got); err != nil || string(got) != want {
		s.t.Errorf("%q comes back, %v, want %q", got, err, want)
	}
}

// finish sends the rest, all of which must come back.
func (u upload) finish(s site) {
	s.t.Helper()
	if _, err := io.WriteString(u.body, "end"); err != nil {
		s.t.Error(err)
	}
	_ = u.body.Close() // a pipe's cannot fail
	if rest, err := io.ReadAll(u.in); err != nil || string(rest) != "end" {
		s.t.Errorf("%q is the rest, %v", rest, err)
	}
}

// contract: REQ-6
func TestREQ6RequestsInProgressAreFinished(t *testing.T) {
	s := ownSite(t, "--set-env-vars", "IS=old")
	first := s.upload()
	place(s.Daemon, s.name, "--set-env-vars", "IS=new").Exits(0)
	for range 5 {
		s.get("/env").Is(s.Host, 200, `"IS":"new"`)
	}
	first.finish(s)
	// The one revision that is left retires with its service.
	last := s.upload()
	deleting := s.Host.StartWith(s.Lead, "services", "delete", s.name, "--quiet")
	s.Eventually("new requests go nowhere", func() bool { return s.get("/").Code == 404 })
	last.finish(s)
	deleting.Wait().Exits(0)
}

// contract: REQ-7
func TestREQ7StreamsPassAsTheyAreWritten(t *testing.T) {
	one := plain.open(t)
	for _, s := range []site{one, duplex.beside(one)} {
		for _, client := range s.both() {
			// The first event comes, though the second never does.
			events := s.hold(client)
			if kind := events.Header.Get("Content-Type"); kind != "text/event-stream" {
				t.Errorf("%s: events are %q", s.name, kind)
			}
			events.leave()
			in, out := io.Pipe()
			go func() { _, _ = io.WriteString(out, "ping") }()
			echo := upload{s.open(client, "/echo", in), out}
			echo.comes(s, "ping")
			echo.finish(s)
		}
	}
}

// contract: REQ-8
func TestREQ8RequestOfAClientThatGoesIsCancelled(t *testing.T) {
	one := plain.open(t)
	for _, s := range []site{one, duplex.beside(one)} {
		for by, client := range s.both() {
			its := word()
			c := s.beginBy(client, "/sleep?for=1h&say="+its)
			s.says("", "sleeps "+its, 1)
			c.giveUp()
			s.says("", "the client has gone "+its, 1)
			if a := c.wait(); a.Err == nil {
				t.Errorf("%s by %s: the answer is %d", s.name, by, a.Code)
			}
		}
	}
}

// contract: REQ-9
func TestREQ9RequestsAreNotSentTwice(t *testing.T) {
	s := ownSite(t, "--max-instances", "2")
	client := s.Requests()
	var once []string
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodGet} {
		s.Eventually("an instance answers", func() bool { return s.get("/").Code == 200 })
		once = append(once, word())
		s.Ask(client, method, s.name, "/exit?code=3&say="+once[len(once)-1], bodyOf(method)).Is(s.Host, 503)
	}
	// Any other instance would have had it by now.
	for _, its := range once {
		s.says("", its, 1)
	}
	s.Eventually("an instance answers", func() bool { return s.get("/").Code == 200 })
	for _, its := range once {
		if n := s.said("", its); n != 1 {
			t.Errorf("a request has come %d times", n)
		}
	}
}

// bodyOf is a body for methods that have one.
func bodyOf(method string) io.Reader {
	if method == http.MethodGet {
		return nil
	}
	return strings.NewReader("some")
}
