package contract

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
)

// shares are the percentages that a service has given its revisions, by their
// short names.
func (s *ownService) shares() map[string]int {
	s.t.Helper()
	v, got := s.is(), map[string]int{}
	for _, to := range v.GetTrafficStatuses() {
		name := to.GetRevision()
		if to.GetType() == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST {
			name = "LATEST"
		}
		got[name] += int(to.GetPercent())
	}
	return got
}

// shared fails the test unless the shares are so: names and percentages in turn.
func (s *ownService) shared(want ...any) {
	s.t.Helper()
	shares := map[string]int{}
	for i := 0; i+1 < len(want); i += 2 {
		shares[want[i].(string)] = want[i+1].(int)
	}
	if got := s.shares(); !maps.Equal(got, shares) {
		s.t.Errorf("the shares are %v, want %v", got, shares)
	}
}

// splits changes the shares.
func (s *ownService) splits(flags ...string) {
	s.t.Helper()
	s.verb("update-traffic", flags...).Exits(0)
}

// named deploys a revision of the service with an end of its name, and gives all
// of it.
func (s *ownService) named(suffix string, flags ...string) string {
	s.t.Helper()
	s.deploys(append(flags, "--revision-suffix", suffix)...).Exits(0)
	return s.name + "-" + suffix
}

// contract: TR-1
func TestTR1LatestReadyRevisionHasAllRequests(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.named("one")
	s.shared("LATEST", 100)
	two := s.named("two")
	s.shared("LATEST", 100)
	if got := s.answers(50); got[two] != 50 {
		t.Errorf("50 requests are answered by %v", got)
	}
}

// contract: TR-2
func TestTR2SharesAddUp(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one, two, three := s.named("one"), s.named("two"), s.named("three")
	for _, bad := range [][2]string{{"50", "49"}, {"50", "51"}, {"101", "-1"}, {"50.5", "49.5"}, {"200", "-100"}} {
		body := fmt.Sprintf(`{"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":%q,"percent":%s},{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":%q,"percent":%s}]}`, one, bad[0], two, bad[1])
		s.call(http.MethodPatch, "?updateMask=traffic", body).Is(s.Host, 400, "percent")
	}
	s.verb("update-traffic", "--to-revisions", one+"=60,"+two+"=50").Exits(2)
	s.verb("update-traffic", "--to-revisions", one+"=33.3").Exits(2)
	s.shared("LATEST", 100)
	s.splits("--to-revisions", one+"=50,"+two+"=30,"+three+"=20")
	s.shared(one, 50, two, 30, three, 20)
	s.splits("--to-revisions", three+"=60") // 40 for the others, as 5 to 3
	s.shared(one, 25, two, 15, three, 60)
}

// contract: TR-3
func TestTR3SplitStaysUntilTrafficGoesToTheLatest(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one, two := s.named("one"), s.named("two")
	s.splits("--to-revisions", one+"=60,"+two+"=40")
	for _, suffix := range []string{"three", "four"} {
		s.named(suffix)
		s.shared(one, 60, two, 40)
	}
	if got := s.answers(60); got[one]+got[two] != 60 || got[one] < 6 || got[two] < 6 {
		t.Errorf("60 requests are answered by %v, want a share of both", got)
	}
	s.splits("--to-latest")
	s.shared("LATEST", 100)
	five := s.named("five")
	if got := s.answers(20); got[five] != 20 {
		t.Errorf("20 requests are answered by %v", got)
	}
}

// contract: TR-4
func TestTR4NoTrafficPinsWhatServes(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one := s.named("one")
	s.named("two", "--no-traffic")
	s.shared(one, 100)
	s.named("three")
	s.shared(one, 100)
	if got := s.answers(20); got[one] != 20 {
		t.Errorf("20 requests are answered by %v", got)
	}
	if ready := s.latest(); ready != s.name+"-three" {
		t.Errorf("the latest is %s", ready)
	}
}

// contract: TR-5
func TestTR5AllTrafficToAnOlderRevisionRollsBack(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one, two := s.named("one"), s.named("two")
	if got := s.answers(20); got[two] != 20 {
		t.Errorf("before, 20 requests are answered by %v", got)
	}
	s.splits("--to-revisions", one+"=100")
	if got := s.answers(100); got[one] != 100 {
		t.Errorf("afterwards, 100 requests are answered by %v", got)
	}
}

// contract: TR-6
func TestTR6NothingIsDroppedWhileTrafficMoves(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one, two := s.named("one", "--tag", "one"), s.named("two", "--tag", "two")
	s.tagged("one", "/").Is(s.Host, 200) // both have an instance, and keep it
	s.tagged("two", "/").Is(s.Host, 200)
	client, stop := s.Requests(), make(chan struct{})
	var asking sync.WaitGroup
	var counting sync.Mutex
	by := map[string]int{}
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// Each is under way for a while, so that most moves come upon some.
				a := s.Ask(client, http.MethodGet, s.name, "/sleep?for=30ms", nil).Is(s.Host, 200, "slept")
				b := s.Ask(client, http.MethodGet, s.name, "/", nil).Is(s.Host, 200)
				if a.Err != nil || b.Err != nil {
					return
				}
				counting.Lock()
				by[strings.TrimSpace(strings.TrimPrefix(b.Body, s.name+" "))]++
				counting.Unlock()
			}
		})
	}
	for _, to := range []string{one, two, one, two} {
		counting.Lock()
		before := by[to] // each has its second turn
		counting.Unlock()
		if err := s.change("traffic", func(v *runpb.Service) { v.Traffic = toRevisions(to, 100) }); err != nil {
			t.Error(err)
		}
		s.Eventually("requests come to "+to, func() bool {
			counting.Lock()
			defer counting.Unlock()
			return by[to] > before+5
		})
	}
	close(stop)
	asking.Wait()
	if len(by) != 2 {
		t.Errorf("they were answered by %v", by)
	}
}

// contract: TR-7
func TestTR7SplitIsMadeForEachRequest(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one, two := s.named("one"), s.named("two")
	s.splits("--to-revisions", one+"=90,"+two+"=10")
	s.answers(50)          // both may have to start
	got := s.answers(2000) // by one client, on one connection
	if n := got[two]; n < 140 || n > 260 || n+got[one] != 2000 {
		t.Errorf("2000 requests are answered by %v, want within 3%% of 10%% by %s", got, two)
	}
}
