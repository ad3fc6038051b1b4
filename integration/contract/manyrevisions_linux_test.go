package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// contract: REV-2
func TestREV2ThousandRevisionsAreKept(t *testing.T) {
	s := siteOf(t, daemon(t))
	s.deploys("--tag", "kept").Exits(0)
	s.deploys().Exits(0)
	first := s.revisions()
	begin := time.Now()
	for i := range 999 {
		s.call(http.MethodPatch, "?updateMask=template", strings.Replace(`{"template":{"healthCheckDisabled":true,"containers":[{"image":"IMAGE","env":[{"name":"N","value":"`+fmt.Sprint(i)+`"}]}]}}`, "IMAGE", s.Host.Server(), 1)).Is(s.Host, 200)
		if i%100 == 0 { t.Log(i, time.Since(begin)) }
	}
	s.Eventually("the last one is ready", func() bool { v := s.is(); return !v.GetReconciling() && v.GetGeneration() == 1001 })
	s.Eventually("one is gone", func() bool { return len(s.revisions()) == 1000 })
	t.Log(first[0].GetName(), time.Since(begin))
	var _ rig.Answer
}
