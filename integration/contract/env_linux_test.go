package contract

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// contract: ENV-1
func TestENV1PortIsInTheIngressContainerAlone(t *testing.T) {
	d := daemon(t)
	if got := lookup(serviceSees(t, d).Start.Env, "PORT"); got != "8080" {
		t.Errorf("PORT is %q unless said otherwise", got)
	}
	pairUp(t, d)
	main, side := pairSees(d, "start")
	if got := lookup(main.Start.Env, "PORT"); got != "9999" {
		t.Errorf("PORT is %q, want 9999", got)
	}
	for what, env := range map[string][]string{"the container beside": side.Start.Env, "a task": taskSees(t, d).Start.Env} {
		if strings.Contains("\n"+strings.Join(env, "\n"), "\nPORT=") {
			t.Errorf("%s has PORT: %q", what, env)
		}
	}
}

// contract: ENV-2
func TestENV2ContainersKnowTheirService(t *testing.T) {
	d := daemon(t)
	pairUp(t, d)
	main, side := pairSees(d, "start")
	for what, env := range map[string][]string{"main": main.Start.Env, "side": side.Start.Env} {
		if lookup(env, "K_SERVICE") != pairName || lookup(env, "K_CONFIGURATION") != pairName || lookup(env, "K_REVISION") != lookup(main.Start.Env, "K_REVISION") {
			t.Errorf("%s has %q", what, env)
		}
	}
	if got := lookup(main.Start.Env, "K_REVISION"); !regexp.MustCompile(`^` + pairName + `-00001-[a-z]{3}$`).MatchString(got) {
		t.Errorf("K_REVISION is %q", got)
	}
}

// contract: ENV-3
func TestENV3TasksKnowTheirPlace(t *testing.T) {
	d := daemon(t)
	logs := runScript(t, d, `echo $CLOUD_RUN_JOB $CLOUD_RUN_EXECUTION $CLOUD_RUN_TASK_INDEX/$CLOUD_RUN_TASK_COUNT try $CLOUD_RUN_TASK_ATTEMPT.
		[ $CLOUD_RUN_TASK_INDEX.$CLOUD_RUN_TASK_ATTEMPT != 1.0 ]`, "--tasks", "3", "--max-retries", "1")
	for line, times := range map[string]int{"0/3 try 0": 1, "1/3 try 0": 1, "1/3 try 1": 1, "2/3 try 0": 1} {
		said := regexp.MustCompile(`(?m)^` + nameOf(t) + ` ` + nameOf(t) + `-[a-z0-9]{5} ` + line + `\.$`)
		if got := len(said.FindAllString(logs, -1)); got != times {
			t.Errorf("%q is there %d times, want %d\n%s", line, got, times, logs)
		}
	}
	if n := strings.Count(logs, "\n"); n != 4 {
		t.Errorf("%d attempts, want 4\n%s", n, logs)
	}
}

// contract: ENV-4
func TestENV4WorkersKnowTheirPool(t *testing.T) {
	d := daemon(t)
	d.CLI("worker-pools", "deploy", nameOf(t), "--image", d.Host.Shell(), "--memory", "128Mi",
		"--args", "^\x01^"+`echo "pool $CLOUD_RUN_WORKER_POOL, revision $CLOUD_RUN_WORKER_POOL_REVISION."; trap "exit 0" TERM; sleep 1000000 & wait`).Exits(0)
	said := regexp.MustCompile(`pool ` + nameOf(t) + `, revision ` + nameOf(t) + `-00001-[a-z]{3}\.`)
	d.Eventually("the worker says what it knows", func() bool {
		return said.MatchString(d.CLI("worker-pools", "logs", nameOf(t)).Stdout)
	})
	d.CLI("worker-pools", "delete", nameOf(t), "--quiet").Exits(0)
}

// contract: ENV-5
func TestENV5RevisionsAreNamedByGenerationOrSuffix(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	serveInside(d, name, "--revision-suffix", "first")
	d.CLI("deploy", name, "--image", d.Host.Inside(), "--update-env-vars", "A=1").Exits(0)
	r := d.CLI("revisions", "list", "--service", name, "--format", "value(metadata.name)").Exits(0)
	if !regexp.MustCompile(`(?m)^`+name+`-first$`).MatchString(r.Stdout) || !regexp.MustCompile(`(?m)^`+name+`-00002-[a-z]{3}$`).MatchString(r.Stdout) {
		t.Errorf("the revisions are\n%s", r)
	}
}

// contract: ENV-6
func TestENV6ExecutionsAndTasksAreNamedAfterTheirJob(t *testing.T) {
	d := daemon(t)
	execution := strings.TrimSpace(runScript(t, d, `echo $CLOUD_RUN_EXECUTION`, "--tasks", "2"))
	execution, again, _ := strings.Cut(execution, "\n")
	if !regexp.MustCompile(`^`+nameOf(t)+`-[a-z0-9]{5}$`).MatchString(execution) || again != execution {
		t.Errorf("the execution is called %q, and %q", execution, again)
	}
	ctx := d.Host.Limit(rig.Patience())
	tasks := d.Tasks(ctx)
	for i := range 2 {
		name := fmt.Sprintf("%s/jobs/%s/executions/%s/tasks/%s-task%d", here, nameOf(t), execution, execution, i)
		task, err := tasks.GetTask(ctx, &runpb.GetTaskRequest{Name: name})
		if err != nil || path.Base(task.GetName()) != fmt.Sprintf("%s-task%d", execution, i) || task.GetIndex() != int32(i) {
			t.Errorf("task %d: %v, %v", i, task.GetName(), err)
		}
	}
}

// contract: ENV-7
func TestENV7ValuesAndNamesHave32KiB(t *testing.T) {
	d := daemon(t)
	const most = 32768
	name, value := strings.Repeat("N", most), strings.Repeat("v", most)
	logs := runScript(t, d, `echo "value ${#BIG}"`,
		"--set-env-vars", "BIG="+value)
	if !strings.Contains(logs, "value 32768\n") {
		t.Errorf("of the largest value comes\n%s", logs)
	}
	c := newChecker(d)
	env := func(name, value string) *runpb.Container {
		return &runpb.Container{Env: []*runpb.EnvVar{{Name: name, Values: &runpb.EnvVar_Value{Value: value}}}}
	}
	c.taken("the longest name", c.job(env(name, "1")))
	for what, k := range map[string]*runpb.Container{"a value of 32,769 bytes": env("BIG", value+"v"), "a name of 32,769 characters": env(name+"N", "1")} {
		c.refused(what, c.job(k), "32")
		c.refused(what, c.service(k), "32")
	}
}

// contract: ENV-8
func TestENV8LastValueOfANameWins(t *testing.T) {
	d := daemon(t)
	file := filepath.Join(t.TempDir(), "job.yaml")
	text := `apiVersion: run.googleapis.com/v1
kind: Job
metadata: {name: ` + nameOf(t) + `}
spec:
  template:
    spec:
      template:
        spec:
          containers:
          - image: ` + d.Host.Shell() + `
            args: ['tr "\0" "\n" </proc/1/environ | grep ^MODE=']
            env: [{name: MODE, value: first}, {name: MODE, value: last}]
            resources: {limits: {cpu: 100m, memory: 128Mi}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	deletesJob(t, d, nameOf(t))
	d.CLI("jobs", "replace", file).Exits(0)
	d.CLI("jobs", "execute", nameOf(t), "--wait").Exits(0)
	if got := d.CLI("jobs", "logs", nameOf(t), "--format", "value(textPayload)").Exits(0).Stdout; got != "MODE=last\n" {
		t.Errorf("the task has %q", got)
	}
}

// contract: ENV-9
func TestENV9NamesOfThePlatformAreReserved(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	env := func(name string) *runpb.Container {
		return &runpb.Container{Env: []*runpb.EnvVar{{Name: name, Values: &runpb.EnvVar_Value{Value: "1"}}}}
	}
	for _, name := range []string{"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "K_ANYTHING", "CLOUD_RUN_JOB", "CLOUD_RUN_ANYTHING", "X_GOOGLE_ANYTHING"} {
		c.refused(name, c.job(env(name)), name)
		c.refused(name, c.service(env(name)), name)
	}
	for _, name := range []string{"PORTS", "MY_PORT", "K", "KAFKA_URL", "CLOUD_RUN", "X_GOOGLE", "port"} {
		c.taken(name, c.job(env(name)))
		c.taken(name, c.service(env(name)))
	}
	r := d.CLI("worker-pools", "deploy", nameOf(t), "--image", d.Host.Shell(), "--set-env-vars", "CLOUD_RUN_WORKER_POOL=x")
	if r.Code == 0 || !strings.Contains(r.Stderr, "CLOUD_RUN_WORKER_POOL") {
		t.Errorf("exit %d for a worker pool\n%s", r.Code, r)
	}
}

// contract: ENV-10
func TestENV10ServicesKnowTheirTimeout(t *testing.T) {
	d := daemon(t)
	if got := lookup(serviceSees(t, d).Start.Env, "CLOUD_RUN_TIMEOUT_SECONDS"); got != "300" {
		t.Errorf("it is %q, want the 300 s that a service has by itself", got)
	}
	pairUp(t, d)
	if main, _ := pairSees(d, "start"); lookup(main.Start.Env, "CLOUD_RUN_TIMEOUT_SECONDS") != "77" {
		t.Errorf("the environment is %q, want the service's 77 s", main.Start.Env)
	}
}

// contract: ENV-11
func TestENV11HomeAndPathComeFromTheImageAndItsUser(t *testing.T) {
	d := daemon(t)
	for user, want := range map[string]string{"app": "1000 /home/app /image/bin de", "nobody-knows": "0 /root /image/bin de"} {
		image := d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: imagetest.Config{
			Entrypoint: []string{"/bin/sh", "-c", `echo "$(/bin/busybox id -u) $HOME $PATH $LANG"`}, Env: []string{"PATH=/image/bin", "LANG=de"}, User: user,
		}})
		if got := outputOf(d, nameOf(t, user), image); got != want+"\n" {
			t.Errorf("user %s has %q, want %q", user, got, want)
		}
	}
}
