package workerpools

import (
	"slices"
	"strings"
	"testing"
)

// Mistakes are told in one line, with exit status 2, before anything happens.
// contract: CLI-3, CLI-12, WP-1
func TestBadUsage(t *testing.T) {
	t.Parallel()
	w := nowhere(t)
	const deploy, update, split = "runnel worker-pools deploy: ", "runnel worker-pools update: ", "runnel worker-pools update-instance-split: "
	for line, want := range map[string]string{
		"frobnicate":                                                        "runnel worker-pools: unknown command \"frobnicate\"; see runnel worker-pools --help",
		"create x":                                                          "runnel worker-pools: unknown command \"create\"; did you mean deploy?",
		"scale x 3":                                                         "runnel worker-pools: unknown command \"scale\"; did you mean update?",
		"rm x":                                                              "runnel worker-pools: unknown command \"rm\"; did you mean delete?",
		"revisions lst":                                                     "runnel worker-pools revisions: unknown command \"lst\"; did you mean list?",
		"deploy puller":                                                     deploy + "--image is missing: name an image",
		"deploy a b --image x":                                              deploy + "unexpected argument \"b\": want one worker pool name",
		"deploy puller.yaml":                                                deploy + "--image is missing; did you mean runnel worker-pools replace puller.yaml?",
		"deploy puller --image /etc/passwd":                                 deploy + "--image /etc/passwd: that is a file",
		"deploy puller --image x --port 8080":                               deploy + "--port: a worker pool takes no requests",
		"deploy puller --image x --use-http2":                               deploy + "--use-http2: a worker pool takes no requests",
		"deploy puller --image x --concurrency 3":                           deploy + "--concurrency: a worker pool takes no requests",
		"deploy puller --image x --timeout 30s":                             deploy + "--timeout: a worker pool takes no requests",
		"deploy puller --image x --ingress all":                             deploy + "--ingress: a worker pool takes no requests",
		"deploy puller --image x --allow-unauthenticated":                   deploy + "--allow-unauthenticated: a worker pool takes no requests",
		"deploy x --image x --no-allow-unauthenticated":                     deploy + "--no-allow-unauthenticated: a worker pool takes no requests",
		"deploy puller --image x --session-affinity":                        deploy + "--session-affinity: a worker pool takes no requests",
		"deploy x --image x --readiness-probe grpc.port=1":                  deploy + "--readiness-probe: a worker pool takes no requests",
		"deploy puller --image x --tag next":                                deploy + "--tag: a worker pool takes no requests",
		"deploy puller --image x --no-traffic":                              deploy + "--no-traffic: a worker pool takes no requests: its revisions share instances; --no-promote",
		"deploy puller --image x --min-instances 1":                         deploy + "--min-instances: a worker pool takes no requests that could scale it: --instances says",
		"update puller --max 3":                                             update + "--max: a worker pool takes no requests that could scale it",
		"update puller --no-cpu-throttling":                                 update + "--no-cpu-throttling: a worker pool takes no requests: its instances have their CPU",
		"update puller --container a --port 1":                              update + "--port: a worker pool takes no requests",
		"deploy puller --image x --instances -1":                            deploy + "--instances -1: want a number of instances, 0 or more",
		"deploy puller --image x --instances many":                          deploy + "--instances many: want a number of instances",
		"deploy puller --image x --instances 1.5":                           deploy + "--instances 1.5: want a number of instances",
		"deploy puller --image x --instances 2147483648":                    deploy + "--instances 2147483648: want a number of instances",
		"deploy puller --image x --instances=":                              deploy + "--instances : want a number of instances",
		"deploy puller --image x --scaling auto":                            deploy + "--scaling auto: nothing scales a worker pool",
		"deploy puller --image x --scaling 1 --instances 1":                 deploy + "--scaling: cannot stand beside --instances",
		"deploy puller --image x --replicas 3":                              deploy + "unknown flag --replicas; did you mean --instances?",
		"deploy puller --image x --instance 3":                              deploy + "unknown flag --instance; did you mean --instances?",
		"deploy puller --image x --promote --no-promote":                    deploy + "--promote: cannot stand beside --no-promote",
		"deploy puller --image x --revision-suffix a_b":                     deploy + "--revision-suffix a_b: want lower-case letters",
		"deploy puller --image x --startup-probe periodSeconds=1":           deploy + "--startup-probe: say what to ask: httpGet.port, grpc.port or tcpSocket.port",
		"deploy puller --image x --startup-probe path=/":                    deploy + "--startup-probe: unknown key \"path\"; did you mean httpGet.path?",
		"deploy puller --image x --add-volume name=x,type=nfs":              deploy + "--add-volume name=x,type=nfs: volumes of type nfs are not supported",
		"deploy puller --image x --container a --image y":                   deploy + "--image: has to stand behind the --container that it is about",
		"deploy puller --image x --set-env-vars A":                          deploy + "--set-env-vars A: want NAME=VALUE",
		"deploy puller --image x --set-secrets A=b:1":                       deploy + "unknown flag --set-secrets: secrets are not supported",
		"deploy puller --image x --description " + strings.Repeat("x", 513): deploy + "--description: has 513 characters: want at most 512",
		"deploy puller --source . --image x":                                deploy + "--source: cannot stand beside --image",
		"deploy puller --no-build":                                          deploy + "--no-build: is about a directory: add --source DIR",
		"update":                                                            update + "the worker pool's name is missing",
		"update puller":                                                     update + "nothing to change: name at least one setting",
		"update-instance-split puller":                                      split + "nothing to change: name --to-latest or --to-revisions",
		"update-instance-split puller --to-latest --to-revisions a=1":       split + "--to-revisions: cannot stand beside --to-latest",
		"update-instance-split puller --to-revisions a":                     split + "--to-revisions a: want REVISION=PERCENT,...",
		"update-instance-split puller --to-revisions a=x":                   split + "--to-revisions a=x: want a whole number of percent, 0 to 100",
		"update-instance-split puller --to-revisions a=-1":                  split + "--to-revisions a=-1: want a whole number of percent",
		"update-instance-split puller --to-revisions a=60,LATEST=60":        split + "--to-revisions a=60,LATEST=60: adds up to 120%",
		"update-instance-split puller --to-revisions a=1,a=2":               split + "--to-revisions a=2: a is there twice",
		"update-instance-split puller --to-revisions=":                      split + "--to-revisions: want REVISION=PERCENT,...",
		"update-instance-split puller --to-tags a=1":                        split + "unknown flag --to-tags",
		"replace":                 "runnel worker-pools replace: the worker pool's file is missing",
		"replace /no/such/file":   "runnel worker-pools replace: /no/such/file: no such file or directory",
		"describe":                "runnel worker-pools describe: the worker pool's name is missing",
		"describe x --format xml": "runnel worker-pools describe: --format xml: want json, yaml,",
		"list all":                "runnel worker-pools list: unexpected argument \"all\": this command takes none",
		"delete":                  "runnel worker-pools delete: the worker pool's name is missing",
		"logs":                    "runnel worker-pools logs: the worker pool's name is missing",
		"logs x --limit -1":       "runnel worker-pools logs: --limit -1: want 1 or more",
		"revisions list puller":   "runnel worker-pools revisions list: unexpected argument \"puller\"; did you mean --worker-pool puller?",
		"revisions describe":      "runnel worker-pools revisions describe: the revision's name is missing",
		"revisions delete a b":    "runnel worker-pools revisions delete: unexpected argument \"b\": want one name",
	} {
		got := w.Do("worker-pools " + line)
		if got.Code != 2 || !strings.HasPrefix(got.Stderr, want) || strings.Count(got.Stderr, "\n") != 1 || got.Stdout != "" {
			t.Errorf("runnel worker-pools %s: exit %d\n%s%swant %s", line, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

// Every command teaches itself, and shows no flag that it refuses.
func TestHelp(t *testing.T) {
	t.Parallel()
	w := nowhere(t)
	w.Help("worker-pools")
	help := w.Must("worker-pools deploy --help")
	for _, flag := range []string{"--port", "--concurrency", "--allow-unauthenticated", "--readiness-probe", "--min-instances", "--scaling"} {
		if strings.Contains(help, flag+" ") {
			t.Errorf("help shows %s\n%s", flag, help)
		}
	}
}

func TestCompletionAsksTheDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("worker-pools deploy puller --image busybox --revision-suffix v1")
	w.Must("worker-pools deploy front --image busybox --revision-suffix v1")
	for line, want := range map[string]string{
		"deploy ":                          "front,puller",
		"update ":                          "front,puller",
		"describe ":                        "front,puller",
		"update-instance-split ":           "front,puller",
		"delete ":                          "front,puller",
		"logs ":                            "front,puller",
		"revisions list --worker-pool ":    "front,puller",
		"revisions describe ":              "front-v1,puller-v1",
		"revisions delete ":                "front-v1,puller-v1",
		"describe --host unix:///nowhere ": "",
		"deploy --format ":                 "csv(,export,json,none,table(,value(,yaml",
	} {
		names := w.Completions("worker-pools " + line)
		slices.Sort(names)
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	flags := strings.Join(nowhere(t).Completions("worker-pools deploy --"), "\n")
	if !strings.Contains(flags, "--instances\tN instances") || strings.Contains(flags, "--port") {
		t.Errorf("completes\n%s", flags)
	}
}
