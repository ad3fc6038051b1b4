package workerpools

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"runnel/cmd/runnel/cli"
)

// full is a deploy that says much.
const full = "worker-pools deploy puller --labels team=data --description words --revision-suffix v1 --instances 3 " +
	"--add-volume name=shared,type=in-memory,size-limit=64Mi --service-account a@b.iam.gserviceaccount.com " +
	"--container worker --image host:5000/worker --depends-on redis --cpu 2 --memory 1Gi --set-env-vars A=1,B= --command sh --args=-c,true " +
	"--liveness-probe grpc.port=9001 --add-volume-mount volume=shared,mount-path=/shared " +
	"--container redis --image redis:7 --cpu 1 --startup-probe tcpSocket.port=6379,periodSeconds=3"

// columns makes tables comparable that differ in names: gaps between columns
// become one tab, and who has done something becomes USER.
func columns(s string) string {
	s = regexp.MustCompile(`(<time> +)\S+(\n|$)`).ReplaceAllString(steady(s), "${1}USER$2")
	s = regexp.MustCompile(`((?:central1|west1) +)\S+( +<time> +)\S+( +<time>)`).ReplaceAllString(s, "${1}USER${2}USER$3")
	return regexp.MustCompile(`  +`).ReplaceAllString(s, "\t")
}

// contract: CLI-7
func TestListColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1")
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v2")
	w.Must("worker-pools deploy front --image busybox --region europe-west1 --revision-suffix v1")
	w.fail("no")
	if got := w.Do("worker-pools deploy puller --image busybox --revision-suffix v3"); got.Code != 1 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	for _, c := range []struct{ line, want string }{
		{"worker-pools list", `   WORKER_POOL  REGION        LAST DEPLOYED BY  LAST DEPLOYED AT  CREATED BY  CREATED
+  front        europe-west1  USER              <time>            USER        <time>
X  puller       us-central1   USER              <time>            USER        <time>
`},
		{"worker-pools list --region us-central1 --format value(name,region)", "puller\tus-central1\n"},
		{"worker-pools list --filter region=europe-west1 --uri", "projects/local/locations/europe-west1/workerPools/front\n"},
		{"worker-pools revisions list", `   REVISION   ACTIVE  WORKER_POOL  DEPLOYED  DEPLOYED BY
+  front-v1   yes     front        <time>    USER
X  puller-v3          puller       <time>    USER
+  puller-v2  yes     puller       <time>    USER
+  puller-v1          puller       <time>    USER
`},
		{"worker-pools revisions list --worker-pool puller --filter active=yes --format value(name)", "puller-v2\n"},
		{"worker-pools revisions list --worker-pool front --region europe-west1 --limit 1 --format csv(name,worker_pool_name)", "name,worker_pool_name\nfront-v1,front\n"},
	} {
		if got := columns(w.Must(c.line)); got != columns(c.want) {
			t.Errorf("runnel %s\n%swant\n%s", c.line, got, columns(c.want))
		}
	}
	if got := w.Do("worker-pools list --filter name=none"); got.Code != 0 || got.Stdout != "" || got.Stderr != "Listed 0 items.\n" {
		t.Errorf("nothing to list: %+v", got)
	}
}

// contract: CLI-3
func TestDescribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must(full)
	const want = `+ WorkerPool puller in region us-central1

team:data

Instance Split:
  100%  LATEST (currently puller-v1)

Scaling:      Manual (Instances: 3)
Description:  words

Last updated on <time> by USER:
  Revision puller-v1
  Container worker:
    Image:                   host:5000/worker
    Command:                 sh
    Args:                    -c true
    Memory:                  1Gi
    CPU:                     2
    Env vars:
      A:                     1
      B:
    Volume mounts:
      /shared:               shared
    Liveness probe:          GRPC every 10s
      Port:                  9001
      Initial delay:         0s
      Timeout:               1s
      Failure threshold:     3
    Container dependencies:  redis
  Container redis:
    Image:                   redis:7
    Memory:                  512Mi
    CPU:                     1
    Startup probe:           TCP every 3s
      Port:                  6379
      Initial delay:         0s
      Timeout:               1s
      Failure threshold:     3
  Service account:           a@b.iam.gserviceaccount.com
  Volumes:
    shared:
      type:                  in-memory
      size-limit:            64Mi
`
	got := regexp.MustCompile(`by \S+:\n`).ReplaceAllString(steady(w.Must("worker-pools describe puller")), "by USER:\n")
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	revision := w.Must("worker-pools revisions describe puller-v1 --worker-pool puller")
	for _, line := range []string{"+ Revision puller-v1 in region us-central1\n", "Container redis:\n  Image:                   redis:7@sha256:", "Service account:           a@b.iam"} {
		if !strings.Contains(revision, line) {
			t.Errorf("the revision:\n%swant\n%s", revision, line)
		}
	}
	for line, want := range map[string]string{
		"worker-pools describe puller --format value(status.latestReadyRevisionName,status.instanceSplits[0].percent)":                     "puller-v1\t100\n",
		"worker-pools describe puller --format value(kind)":                                                                                "WorkerPool\n",
		"worker-pools revisions describe puller-v1 --format value(metadata.labels.\"run.googleapis.com/workerPool\")":                      "puller\n",
		"worker-pools describe projects/local/locations/us-central1/workerPools/puller --region europe-west1 --format value(name)":         "puller\n",
		"worker-pools revisions describe projects/local/locations/us-central1/workerPools/puller/revisions/puller-v1 --format value(name)": "puller-v1\n",
	} {
		if got := w.Must(line); got != want {
			t.Errorf("runnel %s: %swant %s", line, got, want)
		}
	}
}

func TestDescribeOfWhatWasNeverReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("no")
	if got := w.Do("worker-pools deploy puller --image busybox"); got.Code != 1 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	if got := w.Must("worker-pools describe puller"); !strings.Contains(got, "100% (currently 0%)  LATEST\n") {
		t.Error(got)
	}
}

// What is exported and put back changes nothing.
// contract: CLI-10
func TestExportAndReplace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must(full)
	exported := w.Must("worker-pools describe puller --format export")
	file := filepath.Join(t.TempDir(), "puller.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(exported)
	w.expect("worker-pools replace "+file, 0, `Applying new configuration to Cloud Run worker pool [puller] in project [local] region [us-central1]
Deploying...
Creating Revision... done
Done.
New configuration has been applied to worker pool [puller].

To see what it prints, use:
runnel worker-pools logs puller --follow
`)
	if again := w.Must("worker-pools describe puller --format export"); again != exported {
		t.Errorf("exported\n%sand after replace\n%s", exported, again)
	}
	if names := w.Must("worker-pools revisions list --worker-pool puller --format value(name)"); names != "puller-v1\n" {
		t.Errorf("revisions\n%s", names)
	}
	write(strings.ReplaceAll(strings.Replace(exported, "      name: puller-v1\n", "", 1), "value: '1'", "value: '2'"))
	w.Must("worker-pools replace " + file)
	if got := w.pool("puller").GetTemplate().GetContainers()[0].GetEnv()[0].GetValue(); got != "2" {
		t.Errorf("the variable is %s", got)
	}
	w.Must("worker-pools delete puller --quiet")
	if got := w.Do("worker-pools replace " + file + " --async"); got.Code != 0 || !strings.HasSuffix(got.Stderr, "Worker pool [puller] is deploying asynchronously.\n") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	// What is wrong is told in the file's own words.
	for in, want := range map[string]string{
		"apiVersion: run.googleapis.com/v1\nkind: WorkerPool\nmetadata: {name: puller}\nspec: {template: {spec: {containers: [{image: x, ports: [{containerPort: 1}]}]}}}": "spec.template.spec.containers[0].ports",
		"kind: Pod": "kind: ",
		"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{image: x}]}}}": "kind: ",
	} {
		got := w.In(cli.Env{Stdin: strings.NewReader(in)}, "worker-pools", "replace", "-")
		if got.Code != 2 || !strings.HasPrefix(got.Stderr, "runnel worker-pools replace: standard input: "+want) {
			t.Errorf("exit %d\n%swant %s", got.Code, got.Stderr, want)
		}
	}
}

// The file of the examples is one.
func TestExampleIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools replace ../../../examples/worker-pool.yaml")
	got := w.pool("factors")
	if cs := got.GetTemplate().GetContainers(); got.GetScaling().GetManualInstanceCount() != 2 || len(cs) != 2 || cs[0].GetDependsOn()[0] != "redis" {
		t.Errorf("the worker pool is %v", got)
	}
}

// contract: WP-7
func TestSplitIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1 --instances 10")
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v2")
	if got, want := w.Must("worker-pools update-instance-split puller --to-revisions puller-v1=30,LATEST=70"), `Instance Split:
  30%  puller-v1
  70%  LATEST (currently puller-v2)
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := w.Must("worker-pools update-instance-split puller --to-revisions puller-v1=40% --format value(key,revision_name,target_percent,status_percent)"),
		"puller-v1\tpuller-v1\t40\t40\nLATEST\tpuller-v2\t60\t60\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
