package services

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"runnel/cmd/runnel/cli"
)

// contract: CLI-1, CLI-8, CLI-9
func TestSuccessTexts(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	for _, c := range []struct{ line, want string }{
		{"deploy hello --image busybox --allow-unauthenticated", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying new service...
Setting IAM Policy... done
Creating Revision... done
Routing traffic... done
Done.
Service [hello] revision [hello-00001-xxx] has been deployed and is serving 100 percent of traffic.
Service URL: http://hello.run.localhost:8080
`},
		{"deploy hello --image busybox", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Routing traffic... done
Done.
Service [hello] revision [hello-00002-xxx] has been deployed and is serving 100 percent of traffic.
Service URL: http://hello.run.localhost:8080
`},
		{"deploy hello --image busybox --no-traffic --tag next", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Done.
Service [hello] revision [hello-00003-xxx] has been deployed and is serving 0 percent of traffic.
The revision can be reached directly at http://next---hello.run.localhost:8080
`},
		{"services update hello --concurrency 7", `Deploying...
Creating Revision... done
Done.
Service [hello] revision [hello-00004-xxx] has been deployed and is serving 0 percent of traffic.
`},
		{"services update hello --min 1", `Updating...
Done.
Service [hello] has been updated.
`},
		{"deploy hello --image busybox --async", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Service [hello] is deploying asynchronously.
`},
		{"services update-traffic hello --to-latest", `Updating traffic...
Routing traffic... done
Done.
`},
		{"deploy private --image busybox", `Deploying container to Cloud Run service [private] in project [local] region [us-central1]
Deploying new service...
Creating Revision... done
Routing traffic... done
Done.
Service [private] revision [private-00001-xxx] has been deployed and is serving 100 percent of traffic.
Service URL: http://private.run.localhost:8080

The service is private. To call it with a token of your own, use:
runnel services proxy private

To let everybody call it, use:
runnel services add-iam-policy-binding private --member allUsers --role roles/run.invoker
`},
		{"services delete hello --quiet", "Deleting [hello]...\nDone.\nDeleted service [hello].\n"},
		{"services delete private -q --async", "Service [private] is being deleted.\n"},
	} {
		d.expect(t, c.line, 0, c.want)
	}
}

// What does not start is told with its reason and where to look, and the exit
// status says so.
// contract: CLI-9, REV-4
func TestDeployThatFails(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.must("deploy hello --image busybox")
	d.with(func() {
		d.fail = "Revision 'hello-00002-abc' is not ready and cannot serve traffic. It did not listen."
	})
	d.expect(t, "deploy hello --image broken", 1, `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... failed
Deployment failed
Revision 'hello-00002-xxx' is not ready and cannot serve traffic. It did not listen.

See what it printed by running:
runnel services logs hello --revision hello-00002-xxx
`)
	if got := d.do("services describe hello"); !strings.HasPrefix(got.stdout, "X Service hello in region us-central1\n") {
		t.Errorf("the service:\n%s", got.stdout)
	}
}

// contract: CLI-1, AUTH-3
func TestNewServiceAsksWhoMayCallIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		flags, answer string
		attended      bool
		asks, open    bool
	}{
		"yes":                      {"", "y\n", true, true, true},
		"no is the default":        {"", "\n", true, true, false},
		"nobody is there":          {"", "", false, false, false},
		"nothing is asked":         {"--quiet", "", true, false, false},
		"the flag says yes":        {"--allow-unauthenticated", "", true, false, true},
		"the flag says no":         {"--no-allow-unauthenticated", "", true, false, false},
		"nobody is checked anyway": {"--no-invoker-iam-check", "", true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDaemon(t)
			got := d.in(cli.Env{Attended: tt.attended, Stdin: strings.NewReader(tt.answer)}, strings.Fields("deploy hello --image busybox "+tt.flags)...)
			asked := strings.Contains(got.stderr, "Allow unauthenticated invocations to [hello] (y/N)?  ")
			open := policy{d.policies[parent+"/services/hello"]}.has(invokerRole, everybody)
			if got.code != 0 || asked != tt.asks || open != tt.open {
				t.Errorf("exit %d, asked %v, open %v\n%s", got.code, asked, open, got.stderr)
			}
			again := d.in(cli.Env{Attended: true, Stdin: strings.NewReader("y\n")}, strings.Fields("deploy hello --image busybox")...)
			if again.code != 0 || strings.Contains(again.stderr, "Allow unauthenticated") {
				t.Errorf("a service that is there: exit %d\n%s", again.code, again.stderr)
			}
		})
	}
}

// A policy that cannot be set does not undo the deploy, but is told.
func TestDeployWithoutTheRightToOpen(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.with(func() { d.denied = true })
	got := d.do("deploy hello --image busybox --allow-unauthenticated")
	for _, want := range []string{
		"Setting IAM Policy... failed (the policy stays as it was)\n", "Service [hello] revision [hello-00001-abc] has been deployed",
		"runnel deploy: cannot set the IAM policy: policies are not yours to set; try \"runnel services add-iam-policy-binding hello --member allUsers --role roles/run.invoker\"\n",
	} {
		if got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("exit %d\n%swant\n%s", got.code, got.stderr, want)
		}
	}
}

// contract: CLI-1
func TestNameIsAskedFor(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	got := d.in(cli.Env{Attended: true, Stdin: strings.NewReader("\n")}, strings.Fields("deploy --image host:5000/team/front:v1 --no-allow-unauthenticated")...)
	if got.code != 0 || !strings.HasPrefix(got.stderr, "Service name (front):  ") || d.service("front") == nil {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
}

// Deploying the same image again makes a revision, because its tag may stand for
// another digest; updating nothing does not.
// contract: REV-1
func TestDeployAlwaysMakesARevision(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.must("deploy hello --image busybox --labels team=web")
	d.must("deploy hello --image busybox")
	if got := d.service("hello").GetLatestReadyRevision(); !strings.HasSuffix(got, "hello-00002-abc") {
		t.Errorf("the latest revision is %s", got)
	}
	for _, line := range []string{"services update hello --min 2", "services update-traffic hello --update-tags x=LATEST", "services update hello --no-invoker-iam-check"} {
		d.must(line)
		if got := d.service("hello").GetLatestReadyRevision(); !strings.HasSuffix(got, "hello-00002-abc") {
			t.Errorf("%s: the latest revision is %s", line, got)
		}
	}
	if out := d.must("services describe hello"); !strings.Contains(out, "team:web\n") || strings.Contains(out, "nonce") {
		t.Errorf("the service:\n%s", out)
	}
}

// What is set by no flag stays, whoever is faster.
func TestDeployThatMeetsAnother(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.must("deploy hello --image busybox --set-env-vars A=1 --description words")
	d.with(func() { d.conflicts = maxConflicts - 1 })
	d.must("services update hello --update-env-vars B=2")
	s := d.service("hello")
	if n := len(s.GetTemplate().GetContainers()[0].GetEnv()); n != 2 || s.GetDescription() != "words" || s.GetClient() != clientName {
		t.Errorf("the service is %v", s)
	}
	d.with(func() { d.conflicts = maxConflicts })
	if got := d.do("services update hello --update-env-vars B=3"); got.code != 1 || !strings.Contains(got.stderr, "somebody else was faster") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
}

// New services get the defaults of gcloud.
// contract: CPU-8
func TestDefaultsOfNewServices(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.must("deploy hello --image busybox")
	if r := d.service("hello").GetTemplate().GetContainers()[0].GetResources(); !r.GetCpuIdle() || !r.GetStartupCpuBoost() {
		t.Errorf("resources are %v", r)
	}
	d.must("deploy plain --image busybox --no-cpu-boost --no-cpu-throttling")
	if r := d.service("plain").GetTemplate().GetContainers()[0].GetResources(); r.GetCpuIdle() || r.GetStartupCpuBoost() {
		t.Errorf("resources are %v", r)
	}
}

// What the daemon finds wrong is named as the flag.
func TestWhatTheDaemonRefuses(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	d.must("deploy hello --image busybox")
	for line, c := range map[string]struct{ field, want string }{
		"deploy UP --image busybox":                                     {"serviceId", "runnel deploy: NAME: why\n"},
		"deploy hello --image busybox --cpu 9":                          {`service.template.containers[0].resources.limits["cpu"]`, "runnel deploy: --cpu 9: why\n"},
		"services update hello --container side --image x --memory 1":   {`template.containers[1].resources.limits["memory"]`, "runnel services update: --container side: --memory 1: why\n"},
		"services update hello --max-instances 5 --set-env-vars PORT=1": {"template.containers[0].env[0].name", "runnel services update: --set-env-vars: why\n"},
		"services update hello --concurrency 5":                         {"template.vpcAccess", "runnel services update: template.vpcAccess: why\n"},
		"services update hello --add-volume name=x,type=in-memory":      {"template.volumes[0].emptyDir.sizeLimit", "runnel services update: --add-volume: why\n"},
		"services update hello --startup-probe tcpSocket.port=1":        {"template.containers[0].startupProbe.tcpSocket.port", "runnel services update: --startup-probe tcpSocket.port=1: why\n"},
	} {
		d.with(func() { d.refuse = &errdetails.BadRequest_FieldViolation{Field: c.field, Description: "why"} })
		got := d.do(line)
		if got.code != 2 || !strings.HasSuffix(got.stderr, c.want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.code, got.stderr, c.want)
		}
	}
}

// contract: TR-3, TR-4
func TestTrafficOverDeploys(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	shares := func() string {
		var all []string
		for _, p := range pairsOf(d.service("hello")) {
			all = append(all, p.DisplayRevisionID+"="+p.StatusPercent)
		}
		return strings.Join(all, " ")
	}
	d.must("deploy hello --image busybox")
	for _, c := range []struct{ line, want string }{
		{"deploy hello --image busybox --no-traffic", "hello-00001-abc=100"},
		{"deploy hello --image busybox", "hello-00001-abc=100"}, // nor do later ones
		{"services update-traffic hello --to-revisions LATEST=10", "hello-00001-abc=90 LATEST (currently hello-00003-abc)=10"},
		{"deploy hello --image busybox", "hello-00001-abc=90 LATEST (currently hello-00005-abc)=10"},
		{"services update-traffic hello --to-revisions hello-00003-abc=50,hello-00001-abc=50", "hello-00001-abc=50 hello-00003-abc=50"},
		{"deploy hello --image busybox", "hello-00001-abc=50 hello-00003-abc=50"}, // a split stays
		{"services update-traffic hello --to-revisions hello-00001-abc=100", "hello-00001-abc=100"},
		{"services update-traffic hello --to-latest", "LATEST (currently hello-00007-abc)=100"},
	} {
		d.must(c.line)
		if got := shares(); got != c.want {
			t.Errorf("runnel %s: %s, want %s", c.line, got, c.want)
		}
	}
	if s := d.service("hello"); s.GetTraffic()[0].GetType() != runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST {
		t.Errorf("traffic is %v", s.GetTraffic())
	}
}
