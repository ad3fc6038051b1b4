package services

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"runnel/cmd/runnel/cli"
)

// full is a deploy that says much.
const full = "deploy hello --allow-unauthenticated --labels team=web --description words --revision-suffix v1 --tag next " +
	"--add-volume name=shared,type=in-memory,size-limit=64Mi --min 1 --max 9 --concurrency 20 --timeout 90 --session-affinity " +
	"--container front --image nginx --port 8080 --use-http2 --depends-on app --cpu 1 --add-volume-mount volume=shared,mount-path=/shared " +
	"--startup-probe httpGet.path=/ready --container app --image host:5000/app --set-env-vars A=1,B= --cpu 2 --memory 1Gi --command sh --args=-c,true " +
	"--startup-probe tcpSocket.port=9000,periodSeconds=3 --liveness-probe grpc.port=9001"

// columns makes tables comparable that differ in names: gaps between columns
// become one tab, and who has done something becomes USER.
func columns(s string) string {
	s = regexp.MustCompile(`(<time> +)\S+(\n|$)`).ReplaceAllString(steady(s), "${1}USER$2")
	s = regexp.MustCompile(`(localhost +)\S+( +<time>)`).ReplaceAllString(s, "${1}USER$2")
	return regexp.MustCompile(`  +`).ReplaceAllString(s, "\t")
}

// contract: CLI-7
func TestListColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --revision-suffix v1")
	w.Must("deploy hello --image busybox --revision-suffix v2")
	w.Must("deploy front --image busybox --region europe-west1 --revision-suffix v1")
	w.fail("no")
	if got := w.Do("deploy hello --image busybox --revision-suffix v3"); got.Code != 1 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	for _, c := range []struct{ line, want string }{
		{"services list", `   SERVICE  REGION        URL                                                          LAST DEPLOYED BY  LAST DEPLOYED AT
+  front    europe-west1  http://front-123456789012.europe-west1.run.localhost         USER              <time>
X  hello    us-central1   http://hello.run.localhost                                   USER              <time>
`},
		{"services list --region us-central1 --format value(name,domain)", "hello\thttp://hello.run.localhost\n"},
		{"services list --filter region=europe-west1 --uri", "projects/local/locations/europe-west1/services/front\n"},
		{"revisions list", `   REVISION  ACTIVE  SERVICE  DEPLOYED  DEPLOYED BY
+  front-v1  yes     front    <time>    USER
X  hello-v3          hello    <time>    USER
+  hello-v2  yes     hello    <time>    USER
+  hello-v1          hello    <time>    USER
`},
		{"revisions list --service hello --filter active=yes --format value(name)", "hello-v2\n"},
		{"revisions list --service front --region europe-west1 --limit 1 --format csv(name,service_name)", "name,service_name\nfront-v1,front\n"},
	} {
		if got := columns(w.Must(c.line)); got != columns(c.want) {
			t.Errorf("runnel %s\n%swant\n%s", c.line, got, columns(c.want))
		}
	}
	if got := w.Do("services list --filter name=none"); got.Code != 0 || got.Stdout != "" || got.Stderr != "Listed 0 items.\n" {
		t.Errorf("nothing to list: %+v", got)
	}
}

// contract: CLI-4
func TestDescribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must(full)
	const want = `+ Service hello in region us-central1

team:web

URL:      http://hello.run.localhost
Ingress:  all
Traffic:
  0%    hello-v1
          next: http://next---hello.run.localhost
  100%  LATEST (currently hello-v1)

Scaling:      Auto (Min: 1, Max: 9)
Description:  words

Last updated on <time> by USER:
  Revision hello-v1
  Container front:
    Image:                   nginx
    Port:                    8080
    Memory:                  512Mi
    CPU:                     1
    Volume mounts:
      /shared:               shared
    Startup probe:           HTTP every 10s
      Path:                  /ready
      Port:                  8080
      Initial delay:         0s
      Timeout:               1s
      Failure threshold:     3
    Container dependencies:  app
  Container app:
    Image:                   host:5000/app
    Command:                 sh
    Args:                    -c true
    Memory:                  1Gi
    CPU:                     2
    Env vars:
      A:                     1
      B:
    Startup probe:           TCP every 3s
      Port:                  9000
      Initial delay:         0s
      Timeout:               1s
      Failure threshold:     3
    Liveness probe:          GRPC every 10s
      Port:                  9001
      Initial delay:         0s
      Timeout:               1s
      Failure threshold:     3
  Service account:           default@local.iam.gserviceaccount.com
  Concurrency:               20
  Max instances:             100
  Timeout:                   90s
  HTTP/2 Enabled:            Enabled
  CPU Allocation:            CPU is only allocated during request processing
  Startup CPU boost:         Enabled
  Session Affinity:          true
  Volumes:
    shared:
      type:                  in-memory
      size-limit:            64Mi
`
	got := regexp.MustCompile(`by \S+:\n`).ReplaceAllString(steady(w.Must("services describe hello")), "by USER:\n")
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	revision := w.Must("revisions describe hello-v1")
	for _, line := range []string{"+ Revision hello-v1 in region us-central1\n", "Container app:\n  Image:                   host:5000/app@sha256:", "Timeout:                   90s\n"} {
		if !strings.Contains(revision, line) {
			t.Errorf("the revision:\n%swant\n%s", revision, line)
		}
	}
	if got := w.Must("services describe hello --format value(status.url,status.latestReadyRevisionName)"); got != "http://hello.run.localhost\thello-v1\n" {
		t.Errorf("got %s", got)
	}
}

func TestDescribeOfWhatWasNeverReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("no")
	if got := w.Do("deploy hello --image busybox"); got.Code != 1 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	if got := w.Must("services describe hello"); !strings.Contains(got, "100% (currently 0%)  LATEST\n") {
		t.Error(got)
	}
}

// What is exported and put back changes nothing.
// contract: CLI-10
func TestExportAndReplace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must(full)
	exported := w.Must("services describe hello --format export")
	file := filepath.Join(t.TempDir(), "hello.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(exported)
	got := w.Do("services replace " + file)
	want := "Applying new configuration to Cloud Run service [hello] in project [local] region [us-central1]\nDeploying...\n"
	if got.Code != 0 || !strings.HasPrefix(got.Stderr, want) || !strings.HasSuffix(got.Stderr, "Done.\nNew configuration has been applied to service [hello].\nURL: http://hello.run.localhost\n") {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	if again := w.Must("services describe hello --format export"); again != exported {
		t.Errorf("exported\n%sand after replace\n%s", exported, again)
	}
	if names := w.Must("revisions list --service hello --format value(name)"); names != "hello-v1\n" {
		t.Errorf("revisions\n%s", names)
	}
	write(strings.ReplaceAll(strings.Replace(exported, "      name: hello-v1\n", "", 1), "value: '1'", "value: '2'"))
	w.Must("services replace " + file)
	if got := w.service("hello").GetTemplate().GetContainers()[1].GetEnv()[0].GetValue(); got != "2" {
		t.Errorf("the variable is %s", got)
	}
	w.Must("services delete hello --quiet")
	write(regexp.MustCompile(`(?s)  traffic:\n.*$`).ReplaceAllString(exported, ""))
	if got := w.Do("services replace " + file); got.Code != 0 || !strings.Contains(got.Stderr, "Deploying new service...") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	// What is wrong is told in the file's own words.
	const late = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello}\n" +
		"spec: {template: {spec: {timeoutSeconds: 3601, containers: [{image: x}]}}}"
	if got := w.In(cli.Env{Stdin: strings.NewReader(late)}, "services", "replace", "-"); got.Code != 2 ||
		!strings.HasPrefix(got.Stderr, "runnel services replace: standard input: spec.template.spec.timeoutSeconds: ") {
		t.Errorf("%+v", got)
	}
	if got := w.In(cli.Env{Stdin: strings.NewReader("kind: Pod")}, "services", "replace", "-"); got.Code != 2 || !strings.HasPrefix(got.Stderr, "runnel services replace: standard input: kind: ") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}

func TestTrafficIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --revision-suffix v1")
	w.Must("deploy hello --image busybox --revision-suffix v2")
	if got, want := w.Must("services update-traffic hello --to-revisions hello-v1=30 --set-tags old=hello-v1,new=LATEST"), `URL:  http://hello.run.localhost
Traffic:
  30%  hello-v1
         old: http://old---hello.run.localhost
  70%  LATEST (currently hello-v2)
         new: http://new---hello.run.localhost
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := w.Must("services update-traffic hello --remove-tags old --format value(revisionName,statusPercent,statusTags)"), "hello-v1\t30\t\nhello-v2\t70\tnew\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for line, want := range map[string]string{
		"services update-traffic hello --to-revisions none=10":               "runnel services update-traffic: --to-revisions: ",
		"services update-traffic hello --update-tags x=none":                 "runnel services update-traffic: --update-tags: ",
		"services update-traffic hello --to-tags none=10":                    "runnel services update-traffic: --to-tags none=10: the service has no tag of that name",
		"services update-traffic hello --to-revisions LATEST=20,hello-v1=20": "runnel services update-traffic: --to-revisions: every revision with a share is named",
	} {
		if got := w.Do(line); got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	if got := w.Do("services update-traffic hello --to-latest --async"); got.Code != 0 || got.Stderr != "Updating traffic asynchronously.\n" || got.Stdout != "" {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
}

// contract: AUTH-3
func TestPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox")
	const member = "serviceAccount:front@local.iam.gserviceaccount.com"
	got := w.Do("services add-iam-policy-binding hello --member allUsers --role roles/run.invoker")
	if got.Code != 0 || got.Stderr != "Updated IAM policy for service [hello].\n" || !strings.HasPrefix(got.Stdout, "bindings:\n- members:\n  - allUsers\n  role: roles/run.invoker\n") || !w.open("hello") {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	w.Must("services add-iam-policy-binding hello --member " + member + " --role roles/run.invoker")
	if got := w.Must("services get-iam-policy hello --format value(bindings.members)"); !strings.Contains(got, "allUsers") || !strings.Contains(got, member) {
		t.Errorf("members are %s", got)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(w.Must("services get-iam-policy hello")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Must("services remove-iam-policy-binding hello --member allUsers --role roles/run.invoker")
	if w.open("hello") {
		t.Error("the service is open")
	}
	if got := w.Do("services set-iam-policy hello " + file); got.Code != 1 || !strings.Contains(got.Stderr, "etag") && !strings.Contains(got.Stderr, "changed") {
		t.Errorf("a policy that is out of date: exit %d\n%s", got.Code, got.Stderr)
	}
	for in, want := range map[string]string{"bindings: 7": "is no policy", "a: [": "yaml: "} {
		if got := w.In(cli.Env{Stdin: strings.NewReader(in)}, "services", "set-iam-policy", "hello", "-"); got.Code != 2 || !strings.Contains(got.Stderr, "runnel services set-iam-policy: standard input: "+want) {
			t.Errorf("%s: exit %d\n%s", in, got.Code, got.Stderr)
		}
	}
	policy := "bindings: [{role: roles/run.invoker, members: [allUsers]}]"
	if got := w.In(cli.Env{Stdin: strings.NewReader(policy)}, "services", "set-iam-policy", "hello", "-"); got.Code != 0 || !w.open("hello") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
	if got := w.Do("services remove-iam-policy-binding hello --member " + member + " --role roles/run.invoker"); got.Code != 2 || !strings.Contains(got.Stderr, "does not have roles/run.invoker") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}
