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
	s.named("tagged", "--tag", "old")
	served := s.named("served")
	s.splits("--to-revisions", served+"=100")
	idle := s.named("idle")
	for n := range 998 {
		body := fmt.Sprintf(`{"template":{"healthCheckDisabled":true,"containers":[{"image":%q,"env":[{"name":"N","value":"%d"}]}]}}`, s.Host.Server(), n)
		s.call(http.MethodPatch, "?updateMask=template", body).Is(s.Host, 200)
		if n == 996 {
			s.ready()
			if got := len(s.revisions()); got != 1000 {
				t.Errorf("there are %d revisions, want 1000", got)
			}
		}
	}
	s.ready()
	s.Eventually("the oldest without traffic or a tag is gone", func() bool {
		return s.call(http.MethodGet, "/revisions/"+idle, "").Code == http.StatusNotFound
	})
	left := s.revisions()
	if len(left) != 1000 {
		t.Fatalf("%d revisions are left, want 1000", len(left))
	}
	for n, want := range []string{s.name + "-tagged", served} {
		if got := path.Base(left[999-n].GetName()); got != want {
			t.Errorf("of age %d is %s, want %s", n, got, want)
		}
	}
}

// ready waits until what was asked for is so.
func (s *ownService) ready() {
	s.t.Helper()
	s.Until(s.name+" is ready", func() bool { return !s.is().GetReconciling() })
}
