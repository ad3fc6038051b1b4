package services

import (
	"slices"
	"strings"
	"testing"
)

// Mistakes are told in one line, with exit status 2, before anything happens.
// contract: CLI-4, CLI-12, CLI-13
func TestBadUsage(t *testing.T) {
	t.Parallel()
	w := nowhere(t)
	for line, want := range map[string]string{
		"services frobnicate":                                                      "runnel services: unknown command \"frobnicate\"; see runnel services --help",
		"services deploy hello --image x":                                          "runnel services: unknown command \"deploy\"; did you mean runnel deploy?",
		"services revisions list":                                                  "runnel services: unknown command \"revisions\"; did you mean runnel revisions?",
		"services lst":                                                             "runnel services: unknown command \"lst\"; did you mean list?",
		"revisions descirbe x":                                                     "runnel revisions: unknown command \"descirbe\"; did you mean describe?",
		"deploy hello":                                                             "runnel deploy: --image is missing: name an image",
		"deploy a b --image x":                                                     "runnel deploy: unexpected argument \"b\": want one service name",
		"deploy hello --image x -p 80":                                             "runnel deploy: unknown flag -p; did you mean --port?",
		"deploy hello --image x -e A=1":                                            "runnel deploy: unknown flag -e; did you mean --set-env-vars?",
		"deploy hello --image x -v a:b":                                            "runnel deploy: unknown flag -v; did you mean --add-volume?",
		"deploy hello --image x -z":                                                "runnel deploy: unknown flag -z; see runnel deploy --help",
		"deploy hello --image x --replicas 3":                                      "runnel deploy: unknown flag --replicas; did you mean --scaling?",
		"deploy hello --image x --publish 80":                                      "runnel deploy: unknown flag --publish; did you mean --port?",
		"deploy hello --image x --env A=1":                                         "runnel deploy: unknown flag --env; did you mean --set-env-vars?",
		"deploy hello --image x --concurency 3":                                    "runnel deploy: unknown flag --concurency; did you mean --concurrency?",
		"deploy hello --image /etc/passwd":                                         "runnel deploy: --image /etc/passwd: that is a file",
		"deploy hello.yaml":                                                        "runnel deploy: --image is missing; did you mean runnel services replace hello.yaml?",
		"deploy hello --image x --platform managed":                                "runnel deploy: unknown flag --platform: there is but one platform here: leave it out",
		"deploy hello --source .":                                                  "runnel deploy: --source .: there is no Dockerfile in it",
		"deploy hello --source . --image x":                                        "runnel deploy: --source: cannot stand beside --image",
		"deploy --source . --base-image x --container a":                           "runnel deploy: --source: cannot stand beside --container",
		"deploy hello --image x --no-build":                                        "runnel deploy: --no-build: is about a directory: add --source DIR",
		"services update hello --source .":                                         "runnel services update: unknown flag --source: directories are deployed by runnel deploy",
		"deploy hello --image x --set-secrets A=b:1":                               "runnel deploy: unknown flag --set-secrets: secrets are not supported",
		"deploy hello --image x --add-cloudsql-instances a":                        "runnel deploy: unknown flag --add-cloudsql-instances: Cloud SQL is not offered",
		"deploy hello --image x -d":                                                "runnel deploy: unknown flag -d: what runs is started and removed without being told",
		"services create hello --image x":                                          "runnel services: unknown command \"create\"; did you mean runnel deploy?",
		"services rm hello":                                                        "runnel services: unknown command \"rm\"; did you mean delete?",
		"deploy hello --image=":                                                    "runnel deploy: --image: want an image",
		"deploy hello --image x --port 70000":                                      "runnel deploy: --port 70000: want 1 to 65535, or default",
		"deploy hello --image x --port 0":                                          "runnel deploy: --port 0: want 1 to 65535",
		"deploy hello --image x --concurrency 0":                                   "runnel deploy: --concurrency 0: want 1 to 1000, or default",
		"deploy hello --image x --concurrency 1001":                                "runnel deploy: --concurrency 1001: want 1 to 1000",
		"deploy hello --image x --timeout 2h":                                      "runnel deploy: --timeout 2h: want 1 to 3600 seconds",
		"deploy hello --image x --timeout soon":                                    "runnel deploy: --timeout: \"soon\" is not a duration",
		"deploy hello --image x --min-instances x":                                 "runnel deploy: --min-instances x: want a whole number, 0 or more, or default",
		"deploy hello --image x --max-instances 0":                                 "runnel deploy: --max-instances 0: want a whole number, 1 or more",
		"deploy hello --image x --min 3 --max 2":                                   "runnel deploy: --min 3: is more than --max 2",
		"deploy hello --image x --scaling some":                                    "runnel deploy: --scaling some: want a number of instances, or auto",
		"deploy hello --image x --scaling 2 --max 3":                               "runnel deploy: --scaling 2: cannot stand beside --min or --max",
		"deploy hello --image x --cpu-boost --no-cpu-boost":                        "runnel deploy: --cpu-boost: cannot stand beside --no-cpu-boost",
		"deploy hello --image x --no-cpu-boost=maybe":                              "runnel deploy: --no-cpu-boost maybe: want true or false",
		"deploy hello --image x --ingress lan":                                     "runnel deploy: --ingress lan: want all, internal or",
		"deploy hello --image x --tag UP":                                          "runnel deploy: --tag UP: want lower-case letters",
		"deploy hello --image x --revision-suffix a_b":                             "runnel deploy: --revision-suffix a_b: want lower-case letters",
		"deploy hello --image x --startup-probe path=/":                            "runnel deploy: --startup-probe: unknown key \"path\"; did you mean httpGet.path?",
		"deploy hello --image x --startup-probe periodSeconds":                     "runnel deploy: --startup-probe: periodSeconds: want a list of KEY=VALUE",
		"deploy hello --image x --startup-probe grpc.port=x":                       "runnel deploy: --startup-probe: grpc.port x: want a whole number",
		"deploy hello --image x --liveness-probe tcpSocket.port=1":                 "runnel deploy: --liveness-probe: unknown key \"tcpSocket.port\"",
		"deploy hello --image x --liveness-probe periodSeconds=1":                  "runnel deploy: --liveness-probe: say what to ask",
		"deploy hello --image x --startup-probe grpc.port=1,httpGet.port=1":        "runnel deploy: --startup-probe: httpGet: cannot stand beside grpc",
		"deploy hello --image x --add-volume name=x,type=nfs":                      "runnel deploy: --add-volume name=x,type=nfs: volumes of type nfs are not supported",
		"deploy hello --image x --add-volume type=in-memory":                       "runnel deploy: --add-volume type=in-memory: name is missing",
		"deploy hello --image x --add-volume name=x,size=1":                        "runnel deploy: --add-volume name=x,size=1: unknown key \"size\"; did you mean size-limit?",
		"deploy hello --image x --add-volume-mount volume=x":                       "runnel deploy: --add-volume-mount volume=x: want volume=NAME,mount-path=PATH",
		"deploy hello --image x --container a --image y":                           "runnel deploy: --image: has to stand behind the --container that it is about",
		"deploy hello --container a --image=":                                      "runnel deploy: --container a: --image: want an image",
		"deploy hello --container= --image x":                                      "runnel deploy: --container : want a string",
		"deploy hello --image x --set-env-vars A=1 --clear-env-vars":               "runnel deploy: --set-env-vars: cannot stand beside --clear-env-vars",
		"deploy hello --image x --set-env-vars A":                                  "runnel deploy: --set-env-vars A: want NAME=VALUE",
		"deploy hello --image x --set-custom-audiences a --add-custom-audiences b": "runnel deploy: --set-custom-audiences: cannot stand beside --add-custom-audiences",
		"services update":                                                          "runnel services update: the service's name is missing",
		"services update hello":                                                    "runnel services update: nothing to change: name at least one setting",
		"services update hello --allow-unauthenticated":                            "runnel services update: unknown flag --allow-unauthenticated",
		"services update-traffic hello":                                            "runnel services update-traffic: nothing to change: name --to-latest",
		"services update-traffic hello --to-revisions a":                           "runnel services update-traffic: --to-revisions a: want REVISION=PERCENT,...",
		"services update-traffic hello --to-tags a":                                "runnel services update-traffic: --to-tags a: want TAG=PERCENT,...",
		"services update-traffic hello --to-revisions a=x":                         "runnel services update-traffic: --to-revisions a=x: want a whole number of percent, 0 to 100",
		"services update-traffic hello --to-revisions a=101":                       "runnel services update-traffic: --to-revisions a=101: want a whole number",
		"services update-traffic hello --to-revisions a=60,b=60":                   "runnel services update-traffic: --to-revisions a=60,b=60: adds up to 120%",
		"services update-traffic hello --to-revisions a=1,a=2":                     "runnel services update-traffic: --to-revisions a=2: a is there twice",
		"services update-traffic hello --to-latest --to-tags a=1":                  "runnel services update-traffic: --to-tags: cannot stand beside --to-latest",
		"services update-traffic hello --set-tags a=b --clear-tags":                "runnel services update-traffic: --set-tags: cannot stand beside --clear-tags",
		"services replace":                                                         "runnel services replace: the service's file is missing",
		"services replace /no/such/file":                                           "runnel services replace: /no/such/file: no such file or directory",
		"services describe":                                                        "runnel services describe: the service's name is missing",
		"services describe x --format xml":                                         "runnel services describe: --format xml: want json, yaml,",
		"services list all":                                                        "runnel services list: unexpected argument \"all\": this command takes none",
		"services delete":                                                          "runnel services delete: the service's name is missing",
		"services proxy x --port http":                                             "runnel services proxy: --port http: want 0 to 65535",
		"services proxy x --port 65536":                                            "runnel services proxy: --port 65536: want 0 to 65535",
		"services logs":                                                            "runnel services logs: the service's name is missing",
		"services add-iam-policy-binding x --role a":                               "runnel services add-iam-policy-binding: --member is missing",
		"services remove-iam-policy-binding x --member a":                          "runnel services remove-iam-policy-binding: --role is missing",
		"services set-iam-policy x":                                                "runnel services set-iam-policy: want two arguments",
		"services set-iam-policy x /no/such/file":                                  "runnel services set-iam-policy: /no/such/file: no such file",
		"revisions list hello":                                                     "runnel revisions list: unexpected argument \"hello\"; did you mean --service hello?",
		"revisions describe":                                                       "runnel revisions describe: the revision's name is missing",
		"revisions delete a b":                                                     "runnel revisions delete: unexpected argument \"b\": want one name",
	} {
		got := w.Do(line)
		if got.Code != 2 || !strings.HasPrefix(got.Stderr, want) || strings.Count(got.Stderr, "\n") != 1 || got.Stdout != "" {
			t.Errorf("runnel %s: exit %d\n%s%swant %s", line, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

// Every command teaches itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	w := nowhere(t)
	for _, path := range []string{"deploy", "services", "revisions"} {
		w.Help(path)
	}
}

func TestCompletionAsksTheDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Must("deploy hello --image busybox --revision-suffix v1")
	w.Must("deploy front --image busybox --revision-suffix v1")
	for line, want := range map[string]string{
		"deploy ":                                   "front,hello",
		"services describe ":                        "front,hello",
		"services update-traffic ":                  "front,hello",
		"services proxy ":                           "front,hello",
		"services add-iam-policy-binding ":          "front,hello",
		"services set-iam-policy ":                  "front,hello",
		"services set-iam-policy hello ":            "",
		"revisions list --service ":                 "front,hello",
		"revisions describe ":                       "front-v1,hello-v1",
		"revisions delete ":                         "front-v1,hello-v1",
		"services describe --host unix:///nowhere ": "",
		"deploy --format ":                          "csv(,export,json,none,table(,value(,yaml",
	} {
		names := w.Completions(line)
		slices.Sort(names)
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

// What completion says of flags holds no marks that only the help understands.
func TestCompletionOfFlags(t *testing.T) {
	t.Parallel()
	got := strings.Join(nowhere(t).Completions("deploy --"), "\n")
	if !strings.Contains(got, "--container\tname of the container") || strings.Contains(got, "`") {
		t.Errorf("completes\n%s", got)
	}
}
