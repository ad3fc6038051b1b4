package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// contract: REV-7
func TestREV7StaleChangesAreConflicts(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys().Exits(0)
	stale := s.is().GetEtag()
	first := apiCall(s.Daemon, http.MethodGet, knative+"/services/"+s.name, "").Is(s.Host, 200).Body
	describe := func(text string) string { return fmt.Sprintf(`{"description":%q,"etag":%q}`, text, stale) }
	s.call(http.MethodPatch, "?updateMask=description", describe("good")).Is(s.Host, 200)
	s.Eventually("the change is made", func() bool { return s.is().GetDescription() == "good" && !s.is().GetReconciling() })
	s.call(http.MethodPatch, "?updateMask=description", describe("late")).Is(s.Host, 409, "ABORTED")
	s.call(http.MethodDelete, "?etag="+strings.ReplaceAll(stale, `"`, "%22"), "").Is(s.Host, 409, "ABORTED")
	apiCall(s.Daemon, http.MethodPut, knative+"/services/"+s.name, first).Is(s.Host, 409)
	if got := s.is().GetDescription(); got != "good" {
		t.Errorf("what came too late has made it %q", got)
	}

	// What is only validated changes nothing, and is refused where it would be.
	before := s.is()
	now := apiCall(s.Daemon, http.MethodGet, knative+"/services/"+s.name, "").Is(s.Host, 200).Body
	s.call(http.MethodPatch, "?updateMask=description&validateOnly=true", `{"description":"dry"}`).Is(s.Host, 200)
	s.call(http.MethodPatch, "?updateMask=traffic&validateOnly=true", `{"traffic":[{"percent":99}]}`).Is(s.Host, 400)
	s.call(http.MethodDelete, "?validateOnly=true", "").Is(s.Host, 200)
	dry := strings.Replace(now, `"containerConcurrency":80`, `"containerConcurrency":7`, 1)
	if dry == now {
		t.Fatal(now)
	}
	apiCall(s.Daemon, http.MethodPut, knative+"/services/"+s.name+"?dryRun=all", dry).Is(s.Host, 200, `"containerConcurrency":7`)
	if after := s.is(); after.GetEtag() != before.GetEtag() || after.GetGeneration() != before.GetGeneration() {
		t.Errorf("it was\n%v\nand is\n%v", before, after)
	}
}
