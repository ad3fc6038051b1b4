package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"sigs.k8s.io/yaml"

	"runnel/integration/rig"
)

// goesOn is a script that says so and goes on until it is told to end.
const goesOn = "echo here I am; trap 'exit 0' TERM; while :; do sleep 0.2; done"

// contract: KF-1
func TestKF1PushedAppHasNoRouteAndDoesNotRun(t *testing.T) {
	d := daemon(t)
	a := pushed(t, d, "-c", "echo ran")
	matches(t, a.kf("apps").Stdout, `Name Instances Memory Disk CPU URLs`, a.name+` stopped 128Mi 1Gi \S+ <nil>`)
	d.Get(a.name, "/").Is(d.Host, 404)
	if out := a.kf("tasks", a.name, "-o", "name").Stdout + a.printed(); out != "" {
		t.Errorf("it has run:\n%s", out)
	}
	d.CLI("kf", "push", a.name+"-served", "--docker-image", d.Host.Shell()).Exits(2).Shows("--task is missing")
}

// contract: KF-2
func TestKF2TaskIsSubmittedWithItsFlags(t *testing.T) {
	a := pushed(t, daemon(t), "-c", "exit 9")
	long := a.run("-c", "echo of the task; env; "+goesOn, "--name", "a long one", "--cpu-cores", "0.2", "-m", "256M", "-k", "512M")
	// The prompt is back, and the task does not end.
	a.until("Unknown Running", long)
	if !regexp.MustCompile(`^` + a.name + `-[a-z0-9]{5}$`).MatchString(long) {
		t.Errorf("the task is named %s", long)
	}
	a.Until("it prints", func() bool { return strings.Contains(a.printed(), "here I am") })
	for _, want := range []string{"of the task\n", " MEMORY_LIMIT=256M\n", " DISK_LIMIT=512\n"} {
		if out := a.printed(); !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	matches(t, a.kf("tasks", a.name).Stdout, long+` 1 a long one \d+[smh] <nil> Unknown Running`)
	spec := a.kf("tasks", a.name, "-o", "jsonpath={.items[0].spec.cpu} {.items[0].spec.memory} {.items[0].spec.disk}").Stdout
	if spec != "200m 256Mi 512Mi" {
		t.Errorf("it has %s", spec)
	}
}

// contract: KF-3
func TestKF3TaskInheritsFromItsApp(t *testing.T) {
	a := pushed(t, daemon(t), "--env", "A=1", "-k", "2G", "-c", "echo of the app with $A $MEMORY_LIMIT $DISK_LIMIT")
	first := a.run()
	second := a.run("-m", "256M")
	third := a.run("-c", "echo of the task with $A $MEMORY_LIMIT $DISK_LIMIT")
	a.until("True", first, second, third)
	out := a.printed()
	for _, want := range []string{" of the app with 1 128M 2048\n", " of the app with 1 256M 2048\n", " of the task with 1 128M 2048\n"} {
		if strings.Count(out, want) != 1 {
			t.Errorf("want %q once:\n%s", want, out)
		}
	}
}

// contract: KF-4
func TestKF4WithoutAStartCommandTheErrorSaysSo(t *testing.T) {
	a := pushed(t, daemon(t))
	r := a.CLI("kf", "run-task", a.name).Exits(1)
	if !strings.HasSuffix(r.Stderr, "Start command not found on App or Task\n") || r.Stdout != "" {
		t.Errorf("%s", r)
	}
	if out := a.kf("tasks", a.name, "-o", "name").Stdout; out != "" {
		t.Errorf("left of it: %s", out)
	}
	a.until("True", a.run("-c", "true"))
}

// contract: KF-5
func TestKF5TasksAreListed(t *testing.T) {
	a := pushed(t, daemon(t))
	good, bad := a.run("-c", "true"), a.run("-c", "exit 3", "--name", "bad")
	going := a.run("-c", goesOn)
	a.until("True", good)
	a.until("False Failed", bad)
	a.until("Unknown Running", going)
	r := a.kf("tasks", a.name)
	matches(t, r.Stdout, `Name ID DisplayName Age Duration Succeeded Reason`,
		good+` 1 `+good+` \d+[sm] \S+s True <nil>`,
		bad+` 2 bad \d+[sm] \S+s False Failed`,
		going+` 3 `+going+` \d+[sm] <nil> Unknown Running`)
	if lines := strings.Count(r.Stdout, "\n"); lines != 4 {
		t.Errorf("%d lines\n%s", lines, r)
	}
	if all := a.kf("tasks", "-o", "name").Stdout; !strings.Contains(all, "task.kf.dev/"+good+"\n") {
		t.Errorf("tasks of all apps:\n%s", all)
	}
}

// oneAtATime is a daemon of its own that has memory for one of pushed's tasks.
func oneAtATime(t *testing.T) *rig.Daemon {
	t.Helper()
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte("capacity: {memory: 128Mi}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return daemon(t).Host.Serve("--config", config)
}

// contract: KF-6
func TestKF6TaskThatWaitsOrRunsIsTerminated(t *testing.T) {
	a := pushed(t, oneAtATime(t), "-c", goesOn)
	runs := a.run()
	a.until("Unknown Running", runs)
	waits, last := a.run(), a.run("-c", "true")
	a.until("Unknown Pending", waits, last)
	const said = "Task %q is successfully submitted for termination\n"
	if out := a.kf("terminate-task", waits).Stdout; out != fmt.Sprintf(said, waits) {
		t.Errorf("by its name: %s", out)
	}
	if out := a.kf("terminate-task", a.name, "1").Stdout; out != fmt.Sprintf(said, runs) {
		t.Errorf("by its number: %s", out)
	}
	a.until("False PipelineRunCancelled", waits, runs)
	a.until("True", last)
	for _, args := range [][]string{{waits}, {a.name, "1"}, {last}} {
		r := a.CLI(append([]string{"kf", "terminate-task"}, args...)...).Exits(1)
		if !strings.Contains(r.Stderr, "Can't terminate completed Task") || r.Stdout != "" {
			t.Errorf("%q:\n%s", args, r)
		}
	}
}

// contract: KF-7
func TestKF7StoppedTasksKeepTheirLogs(t *testing.T) {
	a := pushed(t, daemon(t))
	a.until("True", a.run("-c", "seq 1 12"))
	a.until("False Failed", a.run("-c", "echo last words; exit 3"))
	cut := a.run("-c", goesOn)
	a.Until("it prints", func() bool { return strings.Contains(a.printed(), " here I am\n") })
	a.kf("terminate-task", cut)
	a.Until("its log goes", func() bool { return !strings.Contains(a.printed(), " here I am\n") })
	if out := a.printed(); !strings.Contains(out, " 1\n") || !strings.HasSuffix(out, " last words\n") {
		t.Errorf("of those that have ended:\n%s", out)
	}
	if out := a.kf("logs", a.name, "--task", "--recent").Stdout; strings.Count(out, "\n") != 10 {
		t.Errorf("not the last ten lines:\n%s", out)
	}
	if out := a.kf("logs", a.name, "--task").Stdout; strings.Count(out, "\n") != 10 {
		t.Errorf("not the last ten lines, and then the end:\n%s", out)
	}
}

// contract: KF-8
// Most tasks are cancelled while they wait for the one that runs: those count as
// well, and none costs a container.
func TestKF8Newest500TasksAreKept(t *testing.T) {
	a := pushed(t, oneAtATime(t), "-c", "true")
	a.until("True", a.run("-c", "echo the oldest"), a.run("-c", "echo the next"))
	going := a.run("-c", goesOn)
	a.until("Unknown Running", going)
	ctx := a.Host.Limit(2 * rig.Patience())
	jobs, executions := a.Jobs(ctx), a.Executions(ctx)
	for range 499 {
		// What run-task does, without a process for each.
		op, err := jobs.RunJob(ctx, &runpb.RunJobRequest{Name: "projects/local/locations/us-central1/jobs/" + a.name})
		if err != nil {
			t.Fatal(err)
		}
		x, err := op.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := executions.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: x.GetName()}); err != nil {
			t.Fatal(err)
		}
	}
	a.Until("500 tasks and the one that runs", func() bool {
		return strings.HasPrefix(a.kf("tasks", a.name, "-o", "jsonpath={.items[*].status.id}").Stdout, "2 3 4 ")
	})
	all := a.statuses()
	if len(all) != 501 || all[going] != "Unknown Running" {
		t.Errorf("%d tasks, the one that runs is %s", len(all), all[going])
	}
	a.Until("the log of the oldest goes", func() bool { return !strings.Contains(a.printed(), " the oldest\n") })
	if out := a.printed(); !strings.Contains(out, " the next\n") {
		t.Errorf("the log of the one that is kept:\n%s", out)
	}
}

// contract: KF-9
func TestKF9TasksOfAnAppRunAtTheSameTime(t *testing.T) {
	a := pushed(t, daemon(t), "-c", goesOn)
	first, second := a.run(), a.run()
	a.until("Unknown Running", first, second)
	failing := a.run("-c", "exit 3")
	a.until("False Failed", failing)
	a.kf("terminate-task", first)
	a.until("False PipelineRunCancelled", first)
	a.until("Unknown Running", second)
}

// contract: KF-12
// 168 hours are the longest timeout that the API knows. Of an app they mean none;
// nobody waits for that here.
func TestKF12TaskHasNoTimeoutUnlessToldOtherwise(t *testing.T) {
	a := pushed(t, daemon(t), "-c", goesOn)
	timeout := func(task string) string {
		return strings.TrimSpace(a.CLI("jobs", "executions", "describe", task, "--format", "value(spec.template.spec.timeoutSeconds)").Exits(0).Stdout)
	}
	endless := a.run()
	if got := timeout(endless); got != fmt.Sprint((168 * time.Hour).Seconds()) {
		t.Errorf("told nothing it has a timeout of %s", got)
	}
	a.CLI("jobs", "update", a.name, "--task-timeout", "3s").Exits(0)
	told := a.run()
	a.until("False Failed", told)
	a.until("Unknown Running", endless)
	if got := timeout(told); got != "3" {
		t.Errorf("told otherwise it has a timeout of %s", got)
	}
}

// contract: KF-13
func TestKF13TasksHaveCloudFoundrysVariables(t *testing.T) {
	a := pushed(t, daemon(t), "--env", "LANG=C", "--env", `VCAP_SERVICES={"pg":[{"credentials":{"uri":"pg://db"}}]}`, "-k", "1G")
	a.until("True", a.run("-c", "env"))
	env := map[string]string{}
	for line := range strings.Lines(a.printed()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line[len("2006-01-02 15:04:05 "):]), "=")
		env[name] = value
	}
	for name, want := range map[string]string{
		"CF_INSTANCE_INDEX": `0`, "INSTANCE_INDEX": `0`, "INSTANCE_GUID": `.+`, "CF_INSTANCE_GUID": regexp.QuoteMeta(env["INSTANCE_GUID"]),
		"CF_INSTANCE_IP": `\d+(\.\d+){3}`, "CF_INSTANCE_INTERNAL_IP": `\d+(\.\d+){3}`, "CF_INSTANCE_ADDR": regexp.QuoteMeta(env["CF_INSTANCE_IP"]) + ":8080",
		"MEMORY_LIMIT": `128M`, "DISK_LIMIT": `1024`, "LANG": `en_US\.UTF-8`, "PORT": `8080`,
		"VCAP_APPLICATION": `\{.*"application_name":"` + a.name + `".*\}`, "VCAP_SERVICES": `\{"pg":.*\}`, "DATABASE_URL": `pg://db`,
	} {
		if !regexp.MustCompile(`^` + want + `$`).MatchString(env[name]) {
			t.Errorf("%s is %q, want %s", name, env[name], want)
		}
	}
	var limits struct{ Limits struct{ Disk, Mem int } }
	if err := json.Unmarshal([]byte(env["VCAP_APPLICATION"]), &limits); err != nil || limits.Limits.Mem != 128 || limits.Limits.Disk != 1024 {
		t.Errorf("%v in %s", err, env["VCAP_APPLICATION"])
	}
}

// contract: KF-14
func TestKF14ListsComeInEveryForm(t *testing.T) {
	a := pushed(t, daemon(t))
	task := a.run("-c", "true")
	a.kf("create-job", a.name, a.name+"-job", "true")
	for _, of := range []struct{ list, name string }{
		{"tasks", "task.kf.dev/" + task}, {"apps", "app.kf.dev/" + a.name}, {"jobs", "taskschedule.kf.dev/" + a.name + "-job"},
	} {
		kind, name, _ := strings.Cut(of.name, ".kf.dev/")
		if out := a.kf(of.list, "-o", "name").Stdout; !strings.Contains("\n"+out, "\n"+of.name+"\n") {
			t.Errorf("%s lacks %s:\n%s", of.list, of.name, out)
		}
		for form, text := range map[string][]byte{
			"json": []byte(a.kf(of.list, "-o", "json").Stdout), "yaml": []byte(a.kf(of.list, "-o", "yaml").Stdout),
		} {
			var list struct {
				Kind  string
				Items []struct {
					Kind     string
					Metadata struct{ Name string }
				}
			}
			if json.Valid(text) != (form == "json") {
				t.Errorf("%s -o %s:\n%s", of.list, form, text)
			}
			if err := yaml.Unmarshal(text, &list); err != nil || list.Kind != "List" || !strings.Contains(fmt.Sprint(list.Items), name) || strings.ToLower(list.Items[0].Kind) != kind {
				t.Errorf("%s -o %s: %v, %+v", of.list, form, err, list)
			}
		}
	}
	if out := a.kf("tasks", a.name, "-o", "go-template={{range .items}}{{.metadata.name}}{{end}}").Stdout + a.kf("tasks", a.name, "-o", "jsonpath= {.items[*].status.id}").Stdout; out != task+" 1" {
		t.Errorf("templates: %s", out)
	}
}
