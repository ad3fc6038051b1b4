package workerpools

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/release"
)

// contract: CLI-3, CLI-8, CLI-9
func TestSuccessTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ line, want string }{
		{"worker-pools deploy puller --image busybox", `Deploying container to Cloud Run worker pool [puller] in project [local] region [us-central1]
Deploying new worker pool...
Creating Revision... done
Done.
Worker pool [puller] revision [puller-00001-xxx] has been deployed.

To see what it prints, use:
runnel worker-pools logs puller --follow
`},
		{"worker-pools deploy puller --image busybox --no-promote --instances 3", `Deploying container to Cloud Run worker pool [puller] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Done.
Worker pool [puller] revision [puller-00002-xxx] has been deployed and has 0 percent of the instances.

To give it an instance, use:
runnel worker-pools update-instance-split puller --to-revisions puller-00002-xxx=34
`},
		{"worker-pools update puller --memory 1Gi", `Deploying...
Creating Revision... done
Done.
Worker pool [puller] revision [puller-00003-xxx] has been deployed and has 0 percent of the instances.

To give it an instance, use:
runnel worker-pools update-instance-split puller --to-revisions puller-00003-xxx=34
`},
		{"worker-pools update puller --instances 4", `Updating...
Done.
Worker pool [puller] has been updated.
`},
		{"worker-pools update puller --instances 0", `Updating...
Done.
Worker pool [puller] has been updated.

No instance is to run. To start one, use:
runnel worker-pools update puller --instances 1
`},
		{"worker-pools deploy puller --image busybox --promote --instances 2", `Deploying container to Cloud Run worker pool [puller] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Done.
Worker pool [puller] revision [puller-00006-xxx] has been deployed.

To see what it prints, use:
runnel worker-pools logs puller --follow
`},
		{"worker-pools deploy puller --image busybox --async", `Deploying container to Cloud Run worker pool [puller] in project [local] region [us-central1]
Worker pool [puller] is deploying asynchronously.
`},
		{"worker-pools update-instance-split puller --to-latest", `Updating instance split...
Splitting instances... done
Done.
`},
		{"worker-pools update-instance-split puller --to-latest --async", "Updating instance split asynchronously.\n"},
		{"worker-pools delete puller --quiet", "Deleting [puller]...\nDone.\nDeleted worker pool [puller].\n"},
		{"worker-pools deploy idle --image busybox --instances 0 --quiet", `Deploying container to Cloud Run worker pool [idle] in project [local] region [us-central1]
Deploying new worker pool...
Creating Revision... done
Done.
Worker pool [idle] revision [idle-00001-xxx] has been deployed.

No instance is to run. To start one, use:
runnel worker-pools update idle --instances 1
`},
		{"worker-pools delete idle -q --async", "Worker pool [idle] is being deleted.\n"},
	} {
		w.expect(c.line, 0, c.want)
	}
}

// contract: WP-2
func TestHowManyInstancesThereAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	count := func() string { return fmt.Sprint(w.pool("puller").GetScaling().GetManualInstanceCount()) }
	for _, c := range []struct{ line, want string }{
		{"worker-pools deploy puller --image busybox", "1"},
		{"worker-pools update puller --instances 4", "4"},
		{"worker-pools deploy puller --image busybox --cpu 2", "4"}, // it stays
		{"worker-pools update puller --scaling 2", "2"},
		{"worker-pools deploy puller --image busybox --instances 0", "0"},
		{"worker-pools update puller --cpu 1", "0"},
		{"worker-pools update puller --instances 1", "1"},
	} {
		w.Must(c.line)
		if got := count(); got != c.want {
			t.Errorf("runnel %s: %s instances, want %s", c.line, got, c.want)
		}
	}
}

// What does not start is told with its reason and where to look, and the exit
// status says so.
// contract: CLI-9
func TestDeployThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox")
	w.fail("it ended at once")
	got := w.Do("worker-pools deploy puller --image broken")
	for _, part := range []string{
		"Creating Revision... failed\nDeployment failed\n", "it ended at once",
		"\nSee what it printed, and what became of it, by running:\nrunnel worker-pools logs puller --system --revision puller-00002-xxx\n",
	} {
		if got.Code != 1 || !strings.Contains(steady(got.Stderr), part) {
			t.Errorf("exit %d\n%slacks %q", got.Code, steady(got.Stderr), part)
		}
	}
	if got := w.Do("worker-pools describe puller"); !strings.HasPrefix(got.Stdout, "X WorkerPool puller in region us-central1\n") {
		t.Errorf("the worker pool:\n%s", got.Stdout)
	}
}

// contract: CLI-1, CLI-3
func TestNameIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ image, suggestion string }{{"host:5000/team/front:v1", "front"}, {"123", "worker-pool"}} {
		got := w.In(cli.Env{Attended: true, Stdin: strings.NewReader("\n")}, "worker-pools", "deploy", "--image", c.image)
		if got.Code != 0 || !strings.HasPrefix(got.Stderr, "Worker pool name ("+c.suggestion+"):  ") || w.pool(c.suggestion) == nil {
			t.Errorf("exit %d\n%s", got.Code, got.Stderr)
		}
	}
	if got := w.Do("worker-pools deploy --image x"); got.Code != 2 || got.Stderr != "runnel worker-pools deploy: the worker pool's name is missing\n" {
		t.Errorf("nobody is there: exit %d\n%s", got.Code, got.Stderr)
	}
}

// Who deletes is asked.
// contract: CLI-10
func TestDeletionIsConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1")
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v2")
	for line, what := range map[string]string{
		"worker-pools delete puller":              "WorkerPool [puller] will be deleted.",
		"worker-pools revisions delete puller-v1": "Revision [puller-v1] will be deleted.",
	} {
		got := w.In(cli.Env{Attended: true, Stdin: strings.NewReader("n\n")}, strings.Fields(line)...)
		if got.Code != 1 || got.Stderr != what+"\n\nDo you want to continue (Y/n)?  Aborted by user.\n" {
			t.Errorf("%s: exit %d\n%s", line, got.Code, got.Stderr)
		}
		if got := w.Do(line); got.Code != 2 || !strings.Contains(got.Stderr, "add --quiet to go ahead") {
			t.Errorf("%s: nobody is there: exit %d\n%s", line, got.Code, got.Stderr)
		}
	}
	got := w.In(cli.Env{Attended: true, Stdin: strings.NewReader("y\n")}, strings.Fields("worker-pools revisions delete puller-v1 --worker-pool puller")...)
	if got.Code != 0 || !strings.HasSuffix(got.Stderr, "Deleted revision [puller-v1].\n") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

// Deploying the same image again makes a revision, because its tag may stand for
// another digest; updating what instances do not run does not.
func TestDeployAlwaysMakesARevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	latest := func() string {
		return steady(strings.TrimSpace(w.Must("worker-pools describe puller --format value(status.latestReadyRevisionName)")))
	}
	w.Must("worker-pools deploy puller --image busybox --labels team=data")
	w.Must("worker-pools deploy puller --image busybox")
	if got := latest(); got != "puller-00002-xxx" {
		t.Errorf("the latest revision is %s", got)
	}
	for _, line := range []string{"worker-pools update puller --instances 2", "worker-pools update puller --description words", "worker-pools update-instance-split puller --to-latest"} {
		w.Must(line)
		if got := latest(); got != "puller-00002-xxx" {
			t.Errorf("%s: the latest revision is %s", line, got)
		}
	}
}

// Updates at the same time do not take each other back, and what is set by no
// flag stays.
func TestUpdatesThatMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --set-env-vars A=1 --description words --instances 2")
	var meeting sync.WaitGroup
	for _, name := range []string{"B", "C", "D"} {
		meeting.Go(func() {
			if got := w.Do("worker-pools update puller --async --update-env-vars " + name + "=1"); got.Code != 0 {
				t.Errorf("%s: exit %d\n%s", name, got.Code, got.Stderr)
			}
		})
	}
	meeting.Wait()
	p := w.pool("puller")
	if n := len(p.GetTemplate().GetContainers()[0].GetEnv()); n != 4 || p.GetDescription() != "words" || p.GetScaling().GetManualInstanceCount() != 2 || p.GetClient() != release.ClientName {
		t.Errorf("the worker pool is %v", p)
	}
}

// contract: WP-9
func TestAtMostTenContainers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	line := "worker-pools deploy puller"
	for i := range 10 {
		line += fmt.Sprintf(" --container c%d --image busybox", i)
	}
	w.Must(line)
	if got := w.Do(line + " --container c10 --image busybox"); got.Code != 2 || !strings.Contains(got.Stderr, "containers") || !strings.Contains(got.Stderr, "10") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

// contract: WP-7
func TestSplitsOverDeploys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	is := func() string {
		var all []string
		for _, p := range pairsOf(w.pool("puller")) {
			all = append(all, p.Key+"="+p.StatusPercent)
		}
		return strings.Join(all, " ")
	}
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1 --instances 10")
	for _, c := range []struct{ line, want string }{
		{"worker-pools deploy puller --image busybox --no-promote --revision-suffix v2", "puller-v1=100"},
		{"worker-pools deploy puller --image busybox --revision-suffix v3", "puller-v1=100"}, // nor do later ones
		{"worker-pools update-instance-split puller --to-revisions LATEST=10", "puller-v1=90 LATEST=10"},
		{"worker-pools update-instance-split puller --to-revisions puller-v2=50", "puller-v1=45 puller-v2=50 LATEST=5"},
		{"worker-pools update-instance-split puller --to-revisions puller-v1=30,LATEST=70", "puller-v1=30 LATEST=70"},
		{"worker-pools deploy puller --image busybox --revision-suffix v4", "puller-v1=30 LATEST=70"},
		{"worker-pools update-instance-split puller --to-revisions puller-v1=100", "puller-v1=100"}, // a rollback
		{"worker-pools deploy puller --image busybox --revision-suffix v5 --promote", "LATEST=100"},
		{"worker-pools update-instance-split puller --to-revisions puller-v1=100", "puller-v1=100"},
		{"worker-pools update-instance-split puller --to-latest", "LATEST=100"},
	} {
		w.Must(c.line)
		if got := is(); got != c.want {
			t.Errorf("runnel %s: %s, want %s", c.line, got, c.want)
		}
	}
}

// What only the daemon can judge is told in the words of the command line.
func TestWhatTheDaemonRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1")
	const deploy, update = "runnel worker-pools deploy: ", "runnel worker-pools update: "
	for line, want := range map[string]string{
		"worker-pools deploy UP --image busybox":                                          deploy + "NAME: ",
		"worker-pools deploy puller --image busybox --cpu 9":                              deploy + "--cpu 9: ",
		"worker-pools deploy puller --image UPPER":                                        deploy + "--image UPPER: ",
		"worker-pools deploy new --image busybox --no-promote":                            deploy + "--no-promote: the worker pool is new",
		"worker-pools update puller --container side --image x --memory 1Mi":              update + "--container side: --memory 1Mi: ",
		"worker-pools update puller --container side --cpu 1":                             update + "--container side: --image is missing: the worker pool has no container",
		"worker-pools update puller --remove-containers side":                             update + "--remove-containers side: the worker pool has no container",
		"worker-pools update puller --add-volume name=UP,type=in-memory":                  update + "--add-volume: ",
		"worker-pools update puller --add-volume-mount volume=none,mount-path=/x":         update + "--add-volume-mount: ",
		"worker-pools update puller --startup-probe tcpSocket.port=1,periodSeconds=999":   update + "--startup-probe tcpSocket.port=1,periodSeconds=999: ",
		"worker-pools update puller --labels A=b":                                         update + "--labels: ",
		"worker-pools update puller --depends-on none":                                    update + "--depends-on none: ",
		"worker-pools update-instance-split puller --to-revisions none=10":                "runnel worker-pools update-instance-split: --to-revisions: ",
		"worker-pools update-instance-split puller --to-revisions puller-v1=20,LATEST=20": "runnel worker-pools update-instance-split: --to-revisions: every revision with a share is named, but they do not add up to 100%",
	} {
		got := w.Do(line)
		if got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	const missing = "cannot find worker pool [nosuch] in project [local] region [us-central1]; see \"runnel worker-pools list\""
	for line, want := range map[string]string{
		"worker-pools describe nosuch":                                   missing,
		"worker-pools update nosuch --instances 1":                       missing,
		"worker-pools update-instance-split nosuch --to-latest":          missing,
		"worker-pools delete nosuch -q":                                  missing,
		"worker-pools logs nosuch":                                       missing,
		"worker-pools revisions list --worker-pool nosuch":               missing,
		"worker-pools revisions describe puller-v1 --worker-pool nosuch": missing,
		"worker-pools revisions describe nosuch":                         "cannot find revision [nosuch] in project [local] region [us-central1]; see \"runnel worker-pools revisions list\"",
		"worker-pools revisions delete nosuch -q --worker-pool puller":   "cannot find revision [nosuch]",
		"worker-pools revisions delete puller-v1 -q":                     "", // it has the instances
	} {
		got := w.Do(line)
		if got.Code != 1 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
}

func TestWarningsAreTold(t *testing.T) {
	t.Parallel()
	pool := &runpb.WorkerPool{Conditions: []*runpb.Condition{
		{Type: "ContainerReady", State: runpb.Condition_CONDITION_SUCCEEDED, Message: "Imported."},
		{Type: "ContainerHealthy", State: runpb.Condition_CONDITION_FAILED, Severity: runpb.Condition_ERROR, Message: "Ended."},
		{Type: "MinInstancesProvisioned", State: runpb.Condition_CONDITION_FAILED, Severity: runpb.Condition_WARNING, Message: "No room."},
	}}
	if got := warnings(pool); !slices.Equal(got, []string{"No room."}) {
		t.Errorf("got %q", got)
	}
}
