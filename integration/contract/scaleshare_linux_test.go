package contract

import (
	"slices"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// revisions are the names of a service's revisions, the oldest first.
func revisions(d *rig.Daemon, service string) []string {
	d.Host.Helper()
	return strings.Fields(d.CLI("revisions", "list", "--service", service, "--sort-by", "metadata.name", "--format", "value(metadata.name)").Exits(0).Stdout)
}

// contract: SC-11
func TestSC11ARevisionHasAHundredInstancesUnlessToldOtherwise(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--concurrency", "1")
	described(d, name, "autoscaling.knative.dev/maxScale: '100'")
	d.CLI("services", "update", name, "--max-instances", "2").Exits(0)
	described(d, name, "autoscaling.knative.dev/maxScale: '2'")
	two := hold(d, name, 2)
	waits := d.BeginGet(name, "/")
	<-time.After(time.Second)
	if n := d.Instances(name); n[len(n)-1] != 2 || waits.IsOver() {
		t.Errorf("instances by revision: %v, want at most 2", n)
	}
	finish(d, two)
	waits.Wait().Is(d.Host, 200)
}

// contract: SC-12
func TestSC12RevisionsShareTheMinimumAndTheMaximum(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--concurrency", "1", "--tag", "one")
	d.Deploy(name, "--memory", "128Mi", "--no-traffic", "--tag", "two").Exits(0)
	all := revisions(d, name)
	d.CLI("services", "update-traffic", name, "--to-revisions", all[0]+"=75,"+all[1]+"=25").Exits(0)
	d.CLI("services", "update", name, "--min", "4").Exits(0)
	d.Settles(name, 1, 3)

	d.CLI("services", "update", name, "--min", "default", "--max", "4").Exits(0)
	two := d.Hold("two---" + name)
	waits := d.BeginGet("two---"+name, "/")
	hold(d, "one---"+name, 3)
	stays(d, 2*time.Second, name, 1, 3)
	if waits.IsOver() {
		t.Errorf("a second request has got %v", waits.Wait())
	}
	two.Finish().Is(d.Host, 200)
	waits.Wait().Is(d.Host, 200)
}

// contract: SC-13
func TestSC13BoundsOfARevisionArePartOfItsTemplate(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--no-deploy-health-check")
	first := revisions(d, name)[0]
	for _, flags := range [][]string{{"--max-instances", "7"}, {"--min-instances", "1"}} {
		before := len(revisions(d, name))
		d.CLI(append([]string{"services", "update", name}, flags...)...).Exits(0)
		if now := revisions(d, name); len(now) != before+1 {
			t.Errorf("%s makes of %d revisions %v", flags[0], before, now)
		}
	}
	described(d, name, "autoscaling.knative.dev/maxScale: '7' autoscaling.knative.dev/minScale: '1'")
	d.Settles(name, 1)
	d.CLI("revisions", "describe", first, "--format", "yaml").Exits(0).Shows("autoscaling.knative.dev/maxScale: '100'")
	d.CLI("services", "update", name, "--min", "1", "--max", "9").Exits(0)
	if now := revisions(d, name); len(now) != 3 {
		t.Errorf("bounds of the service make another revision: %v", now)
	}
}

// contract: SC-14
func TestSC14TheMinimumIsWarmBeforeTheTraffic(t *testing.T) {
	d := daemon(t)
	name := serve(t, d, "--set-env-vars", "IS=old")
	d.Get(name, "/env").Is(d.Host, 200, `"IS":"old"`)
	deployed := d.BeginDeploy(rig.Patience(), name, "--memory", "128Mi", "--min-instances", "2", "--set-env-vars", "IS=new,START_DELAY=3s")
	var first time.Time
	d.Until("the new revision answers", func() bool {
		body := d.Get(name, "/env").Is(d.Host, 200).Body
		first = time.Now()
		return strings.Contains(body, `"IS":"new"`)
	})
	deployed.Wait().Exits(0)
	revision := revisions(d, name)[1]
	warm := d.When(name, "Default STARTUP TCP probe succeeded", "--revision", revision)
	if len(warm) != 2 || warm[0].After(first) || warm[1].After(first) {
		t.Errorf("the first answer comes at %v, instances were ready at %v", first, warm)
	}
	conditions := d.CLI("revisions", "describe", revision, "--format", "yaml").Exits(0).Stdout
	if !strings.Contains(strings.Join(strings.Fields(conditions), " "), "message: The minimum of 2 instances is provisioned. status: 'True' type: MinInstancesProvisioned") {
		t.Errorf("the revision does not say that its minimum is there:\n%s", conditions)
	}
}

// contract: SC-15
func TestSC15ATaggedRevisionScalesByItself(t *testing.T) {
	d := impatientDaemon(t)
	name := serve(t, d, "--concurrency", "1", "--set-env-vars", "IS=old")
	d.Deploy(name, "--memory", "128Mi", "--no-traffic", "--tag", "next", "--set-env-vars", "IS=new").Exits(0)
	d.Settles(name)
	d.Get(name, "/env").Is(d.Host, 200, `"IS":"old"`)
	d.Get("next---"+name, "/env").Is(d.Host, 200, `"IS":"new"`)
	all := append(hold(d, name, 1), hold(d, "next---"+name, 2)...)
	if now := d.Instances(name); !slices.Equal(now, []int{1, 2}) {
		t.Errorf("instances by revision: %v, want 1 for the traffic and 2 for the tag", now)
	}
	finish(d, all)
	d.Settles(name)
}
