package services

import (
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
)

// contract: CLI-1, CLI-8, CLI-9
func TestSuccessTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ line, want string }{
		{"deploy hello --image busybox --allow-unauthenticated", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying new service...
Setting IAM Policy... done
Creating Revision... done
Routing traffic... done
Done.
Service [hello] revision [hello-00001-xxx] has been deployed and is serving 100 percent of traffic.
Service URL: http://hello.run.localhost
`},
		{"deploy hello --image busybox", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Routing traffic... done
Done.
Service [hello] revision [hello-00002-xxx] has been deployed and is serving 100 percent of traffic.
Service URL: http://hello.run.localhost
`},
		{"deploy hello --image busybox --no-traffic --tag next", `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Done.
Service [hello] revision [hello-00003-xxx] has been deployed and is serving 0 percent of traffic.
The revision can be reached directly at http://next---hello.run.localhost
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
Service URL: http://private.run.localhost

The service is private. To call it with a token of your own, use:
runnel services proxy private

To let everybody call it, use:
runnel services add-iam-policy-binding private --member allUsers --role roles/run.invoker
`},
		{"services delete hello --quiet", "Deleting [hello]...\nDone.\nDeleted service [hello].\n"},
		{"services delete private -q --async", "Service [private] is being deleted.\n"},
	} {
		w.expect(c.line, 0, c.want)
	}
}

// What does not start is told with its reason and where to look, and the exit
// status says so.
// contract: CLI-9, REV-4
func TestDeployThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox")
	w.fail("it did not listen")
	w.expect("deploy hello --image broken", 1, `Deploying container to Cloud Run service [hello] in project [local] region [us-central1]
Deploying...
Creating Revision... failed
Deployment failed
Revision 'hello-00002-xxx' is not ready and cannot serve traffic. it did not listen

See what it printed, and what became of it, by running:
runnel services logs hello --system --revision hello-00002-xxx
`)
	if got := w.Do("services describe hello"); !strings.HasPrefix(got.Stdout, "X Service hello in region us-central1\n") {
		t.Errorf("the service:\n%s", got.Stdout)
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
			w := newWorld(t)
			got := w.In(cli.Env{Attended: tt.attended, Stdin: strings.NewReader(tt.answer)}, strings.Fields("deploy hello --image busybox "+tt.flags)...)
			asked := strings.Contains(got.Stderr, "Allow unauthenticated invocations to [hello] (y/N)?  ")
			open := w.open("hello")
			if got.Code != 0 || asked != tt.asks || open != tt.open {
				t.Errorf("exit %d, asked %v, open %v\n%s", got.Code, asked, open, got.Stderr)
			}
			again := w.In(cli.Env{Attended: true, Stdin: strings.NewReader("y\n")}, strings.Fields("deploy hello --image busybox")...)
			if again.Code != 0 || strings.Contains(again.Stderr, "Allow unauthenticated") {
				t.Errorf("a service that is there: exit %d\n%s", again.Code, again.Stderr)
			}
		})
	}
}

// contract: CLI-1
func TestNameIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.In(cli.Env{Attended: true, Stdin: strings.NewReader("\n")}, strings.Fields("deploy --image host:5000/team/front:v1 --no-allow-unauthenticated")...)
	if got.Code != 0 || !strings.HasPrefix(got.Stderr, "Service name (front):  ") || w.service("front") == nil {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

// Deploying the same image again makes a revision, because its tag may stand for
// another digest; updating nothing does not.
// contract: REV-1
func TestDeployAlwaysMakesARevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --labels team=web")
	w.Must("deploy hello --image busybox")
	if got := steady(w.latest("hello")); got != "hello-00002-xxx" {
		t.Errorf("the latest revision is %s", got)
	}
	for _, line := range []string{"services update hello --min 2", "services update-traffic hello --update-tags x=LATEST", "services update hello --no-invoker-iam-check"} {
		w.Must(line)
		if got := steady(w.latest("hello")); got != "hello-00002-xxx" {
			t.Errorf("%s: the latest revision is %s", line, got)
		}
	}
	if out := w.Must("services describe hello"); !strings.Contains(out, "team:web\n") || strings.Contains(out, "nonce") {
		t.Errorf("the service:\n%s", out)
	}
}

// Updates at the same time do not take each other back, and what is set by no
// flag stays.
func TestUpdatesThatMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --set-env-vars A=1 --description words")
	var meeting sync.WaitGroup
	for _, name := range []string{"B", "C", "D"} {
		meeting.Go(func() {
			if got := w.Do("services update hello --async --update-env-vars " + name + "=1"); got.Code != 0 {
				t.Errorf("%s: exit %d\n%s", name, got.Code, got.Stderr)
			}
		})
	}
	meeting.Wait()
	s := w.service("hello")
	if n := len(s.GetTemplate().GetContainers()[0].GetEnv()); n != 4 || s.GetDescription() != "words" || s.GetClient() != release.ClientName {
		t.Errorf("the service is %v", s)
	}
}

// New services get the defaults of gcloud.
// contract: CPU-8
func TestDefaultsOfNewServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox")
	if r := w.service("hello").GetTemplate().GetContainers()[0].GetResources(); !r.GetCpuIdle() || !r.GetStartupCpuBoost() {
		t.Errorf("resources are %v", r)
	}
	w.Must("deploy plain --image busybox --no-cpu-boost --no-cpu-throttling")
	if r := w.service("plain").GetTemplate().GetContainers()[0].GetResources(); r.GetCpuIdle() || r.GetStartupCpuBoost() {
		t.Errorf("resources are %v", r)
	}
}

// What only the daemon can judge is told in the words of the command line.
func TestWhatTheDaemonRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox")
	for line, want := range map[string]string{
		"deploy UP --image busybox":                                                 "runnel deploy: NAME: ",
		"deploy hello --image busybox --cpu 9":                                      "runnel deploy: --cpu 9: ",
		"deploy hello --image busybox --cpu 0.5":                                    "runnel deploy: --concurrency: 80 requests at a time need at least 1 CPU",
		"deploy hello --image UPPER":                                                "runnel deploy: --image UPPER: ",
		"services update hello --container side --image x --memory 1Mi":             "runnel services update: --container side: --memory 1Mi: ",
		"services update hello --max-instances 5 --set-env-vars PORT=1":             "runnel services update: --set-env-vars: ",
		"services update hello --add-volume name=UP,type=in-memory":                 "runnel services update: --add-volume: ",
		"services update hello --add-volume-mount volume=none,mount-path=/x":        "runnel services update: --add-volume-mount: ",
		"services update hello --startup-probe tcpSocket.port=1,periodSeconds=999":  "runnel services update: --startup-probe tcpSocket.port=1,periodSeconds=999: ",
		"services update hello --labels A=b":                                        "runnel services update: --labels: ",
		"services add-iam-policy-binding hello --member x --role roles/run.invoker": "runnel services add-iam-policy-binding: --member x: ",
		"services add-iam-policy-binding hello --member allUsers --role invoker":    "runnel services add-iam-policy-binding: --role invoker: ",
		"services update hello --depends-on none":                                   "runnel services update: --depends-on none: ",
	} {
		got := w.Do(line)
		if got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	for line, want := range map[string]string{
		"services describe nosuch":                      "cannot find service [nosuch] in project [local] region [us-central1]; see \"runnel services list\"",
		"services update nosuch --min 1":                "cannot find service [nosuch]",
		"services update-traffic no --to-latest":        "cannot find service [no]",
		"services delete nosuch -q":                     "cannot find service [nosuch]",
		"services get-iam-policy nosuch":                "cannot find service [nosuch]",
		"services logs nosuch":                          "cannot find service [nosuch]",
		"services proxy nosuch":                         "cannot find service [nosuch]",
		"revisions describe nosuch":                     "cannot find revision [nosuch] in project [local] region [us-central1]; see \"runnel revisions list\"",
		"revisions list --service nosuch":               "cannot find service [nosuch]",
		"revisions delete " + w.latest("hello") + " -q": "",
	} {
		got := w.Do(line)
		if got.Code != 1 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
}

// contract: TR-3, TR-4
func TestTrafficOverDeploys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shares := func() string {
		var all []string
		for _, p := range pairsOf(w.service("hello")) {
			all = append(all, p.Key+"="+p.StatusPercent)
		}
		return strings.Join(all, " ")
	}
	w.Must("deploy hello --image busybox --revision-suffix v1")
	for _, c := range []struct{ line, want string }{
		{"deploy hello --image busybox --no-traffic --revision-suffix v2", "hello-v1=100"},
		{"deploy hello --image busybox --revision-suffix v3", "hello-v1=100"}, // nor do later ones
		{"services update-traffic hello --to-revisions LATEST=10", "hello-v1=90 LATEST=10"},
		{"deploy hello --image busybox --revision-suffix v4", "hello-v1=90 LATEST=10"},
		{"services update-traffic hello --to-revisions hello-v2=50,hello-v1=50", "hello-v1=50 hello-v2=50"},
		{"deploy hello --image busybox --revision-suffix v5", "hello-v1=50 hello-v2=50"}, // a split stays
		{"services update-traffic hello --to-revisions hello-v2=25", "hello-v1=75 hello-v2=25"},
		{"services update-traffic hello --update-tags old=hello-v1,new=LATEST", "hello-v1=75 hello-v2=25 LATEST=0"},
		{"services update-traffic hello --to-tags new=40", "hello-v1=45 hello-v2=15 LATEST=40"},
		{"services update-traffic hello --to-revisions hello-v1=100 --clear-tags", "hello-v1=100"}, // a rollback
		{"services update-traffic hello --to-latest", "LATEST=100"},
	} {
		w.Must(c.line)
		if got := shares(); got != c.want {
			t.Errorf("runnel %s: %s, want %s", c.line, got, c.want)
		}
	}
	if s := w.service("hello"); s.GetTraffic()[0].GetType() != runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST {
		t.Errorf("traffic is %v", s.GetTraffic())
	}
}
