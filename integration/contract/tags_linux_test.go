package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// contract: TAG-1
func TestTAG1TagHasAURLOfItsOwn(t *testing.T) {
	s := serviceOf(t, daemon(t))
	one := s.named("one", "--tag", "old")
	two := s.named("two")
	if got := s.answers(20); got[two] != 20 {
		t.Errorf("20 requests are answered by %v", got)
	}
	tags := 0
	for _, to := range s.is().GetTrafficStatuses() {
		if to.GetTag() == "" {
			continue
		}
		tags++
		port := s.Ingress[strings.LastIndexByte(s.Ingress, ':'):]
		if want := "http://old---" + s.name + ".run.localhost" + port; to.GetUri() != want || to.GetPercent() != 0 || to.GetRevision() != one {
			t.Errorf("the tag is %v, want 0%% of %s at %s", to, one, want)
		}
	}
	if tags != 1 {
		t.Errorf("%d tags are told of, want one", tags)
	}
	s.tagged("old", "/").Is(s.Host, 200, one)
	s.tagged("none", "/").Is(s.Host, 404)
	s.splits("--remove-tags", "old")
	s.tagged("old", "/").Is(s.Host, 404)
}

// contract: TAG-2
func TestTAG2TagsFitIntoALabel(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys().Exits(0)
	gives := func(tag string) rig.Answer {
		return s.call(http.MethodPatch, "?updateMask=traffic", fmt.Sprintf(`{"traffic":[{"percent":100,"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","tag":%q}]}`, tag))
	}
	longest := strings.Repeat("a", 63-len("---"+s.name))
	for _, good := range []string{"a", "a-1", "v20", longest} {
		gives(good).Is(s.Host, 200)
	}
	for _, bad := range []string{"A", "v_1", "v.1", "1", "-a", "a-", "ä", "a b", "a---b", longest + "a"} {
		gives(bad).Is(s.Host, 400, "traffic[0].tag")
	}
	s.ready()
	s.tagged(longest, "/").Is(s.Host, 200)
}

// contract: TAG-3
func TestTAG3OldestTagsWithoutTrafficGo(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.place = "projects/local/locations/" + s.name // which is counted by itself
	body := fmt.Sprintf(`{"template":{"healthCheckDisabled":true,"containers":[{"image":%q}]}}`, s.Host.Server())
	apiCall(s.Daemon, http.MethodPost, "/v2/"+s.place+"/services?serviceId="+s.name, body).Is(s.Host, 200)
	s.ready()
	latest := func(percent int32, tag string) *runpb.TrafficTarget {
		return &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, Percent: percent, Tag: tag}
	}
	targets := []*runpb.TrafficTarget{latest(100, "busy"), latest(0, "oldest")}
	becomes := func() {
		t.Helper()
		if err := s.change("traffic", func(v *runpb.Service) { v.Traffic = targets }); err != nil {
			t.Fatal(err)
		}
	}
	becomes()
	for n := len(targets); n < 2000; n++ {
		targets = append(targets, latest(0, fmt.Sprintf("tag-%d", n)))
	}
	becomes()
	if got := len(s.is().GetTraffic()); got != 2000 {
		t.Errorf("there are %d of 2000 tags", got)
	}
	targets = append(targets, latest(0, "newest"))
	becomes()
	left := map[string]bool{}
	for _, to := range s.is().GetTraffic() {
		left[to.GetTag()] = true
	}
	if len(left) != 2000 || left["oldest"] || !left["busy"] || !left["tag-2"] || !left["newest"] {
		t.Errorf("%d are left: oldest %v, busy %v, tag-2 %v, newest %v", len(left), left["oldest"], left["busy"], left["tag-2"], left["newest"])
	}
}
