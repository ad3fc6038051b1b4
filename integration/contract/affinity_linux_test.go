package contract

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"runnel/integration/rig"
)

// guest is a client that keeps its affinity cookie.
type guest struct {
	*ownService
	cookie string
}

// visits is the instance that answers the guest, by its ID, and whether the guest
// was given another cookie.
func (g *guest) visits() (instance string, given bool) {
	g.t.Helper()
	var header []string
	if g.cookie != "" {
		header = []string{"Cookie", g.cookie}
	}
	a := g.asked("/self", header...).Is(g.Host, 200)
	if set := a.Header.Get("Set-Cookie"); set != "" {
		value, rest, _ := strings.Cut(set, "; ")
		if given = true; !strings.HasPrefix(value, "GAESA=") || rest != "Path=/; Max-Age=2592000; HttpOnly" {
			g.t.Errorf("the cookie is %q", set)
		}
		g.cookie = value
	}
	instance, _, _ = strings.Cut(a.Body, " ")
	return instance, given
}

// stays has the guest come again, and fails the test unless always the same
// instance answers.
func (g *guest) stays(instance string) {
	g.t.Helper()
	for range 20 {
		if now, given := g.visits(); now != instance || given {
			g.t.Fatalf("%s answers, a new cookie: %v; want %s", now, given, instance)
		}
	}
}

// occupies has the guest's instance answer as many requests as it may have until
// leave is called, unless one before has not quite left it: such a request goes
// elsewhere.
func (g *guest) occupies() (leave func()) {
	g.t.Helper()
	ctx, cancel := context.WithCancel(g.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.name+".run.localhost/sleep?for=1h", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Cookie", g.cookie)
	client := g.Requests()
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() { rig.Do(client, r) }) // it has no answer
	}
	return func() {
		cancel()
		asking.Wait()
	}
}

// contract: AFF-1
func TestAFF1CookieKeepsAClientOnItsInstance(t *testing.T) {
	s := serviceOf(t, daemon(t))
	sticky := []string{"--session-affinity", "--concurrency", "2", "--min-instances", "2", "--max-instances", "2"}
	one := s.named("one", sticky...)
	two := s.named("two", sticky...)
	s.splits("--to-revisions", one+"=50,"+two+"=50")
	g := &guest{ownService: s}
	mine, given := g.visits()
	if !given {
		t.Fatal("there is no cookie")
	}
	g.stays(mine) // though half of all requests go to the other revision

	revision := g.asked("/", "Cookie", g.cookie).Body
	leave, other, theirs := func() {}, guest{}, ""
	s.Eventually("another instance answers while that one has no room", func() bool {
		leave()
		leave = g.occupies()
		for range 20 {
			if now, _ := (&guest{s, g.cookie}).visits(); now == mine {
				continue
			}
			other = guest{ownService: s} // one who comes now is given the other instance
			if theirs, _ = other.visits(); theirs != mine && s.asked("/", "Cookie", other.cookie).Body == revision {
				return true
			}
		}
		return false
	})
	leave()
	s.Eventually("it has room again", func() bool {
		now, _ := (&guest{s, g.cookie}).visits()
		return now == mine
	})
	s.Eventually("the other has room again", func() bool {
		now, _ := (&guest{s, other.cookie}).visits()
		return now == theirs
	})
	other.stays(theirs)
	g.stays(mine)

	// When it has ended there is another, and another cookie.
	if a := s.asked("/exit?code=3", "Cookie", g.cookie); a.Err == nil && a.Code < 500 {
		t.Errorf("%d for the request that ends the instance", a.Code)
	}
	s.Eventually("another instance answers", func() bool {
		if g.asked("/self", "Cookie", g.cookie).Code != http.StatusOK {
			return false // it is ending
		}
		now, given := g.visits()
		return now != mine && given
	})
	mine, _ = g.visits()
	g.stays(mine)
}
