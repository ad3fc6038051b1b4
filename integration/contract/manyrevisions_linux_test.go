package contract

import (
	"fmt"
	"net/http"
	"path"
	"testing"

	"runnel/integration/rig"
)

// contract: REV-2
func TestREV2ThousandRevisionsAreKept(t *testing.T) {
	rig.HostOnly(t, "a thousand revisions take minutes there")
	s := serviceOf(t, daemon(t))
	s.deploys("--tag", "old").Exits(0)
	s.deploys().Exits(0)
	all := s.revisions()
	for n := range 999 {
		body := fmt.Sprintf(`{"template":{"healthCheckDisabled":true,"containers":[{"image":%q,"env":[{"name":"N","value":"%d"}]}]}}`, s.Host.Server(), n)
		s.call(http.MethodPatch, "?updateMask=template", body).Is(s.Host, 200)
		if n == 997 {
			s.ready()
			if got := len(s.revisions()); got != 1000 {
				t.Errorf("there are %d revisions, want 1000", got)
			}
		}
	}
	s.ready()
	s.Eventually("the oldest without a tag is gone", func() bool {
		return s.call(http.MethodGet, "/revisions/"+path.Base(all[0].GetName()), "").Code == http.StatusNotFound
	})
	if left := s.revisions(); len(left) != 1000 || left[999].GetName() != all[1].GetName() {
		t.Errorf("%d are left, the oldest is %s, want %s", len(left), left[len(left)-1].GetName(), all[1].GetName())
	}
}

// ready waits until what was asked for is so.
func (s *ownService) ready() {
	s.t.Helper()
	s.Until(s.name+" is ready", func() bool { return !s.is().GetReconciling() })
}
