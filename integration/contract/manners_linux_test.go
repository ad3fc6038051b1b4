package contract

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// steady replaces what differs from run to run: the last part of names that are
// made, and addresses.
func steady(s string) string {
	s = regexp.MustCompile(`\b(cli\d+[a-z-]*(-\d{5})?)-[a-z0-9]{3,5}\b`).ReplaceAllString(s, "$1-xxx")
	return regexp.MustCompile(`(\.run\.localhost)(:\d+)?`).ReplaceAllString(s, "$1")
}

// tells fails the test unless a command says exactly want, on standard error.
func tells(t *testing.T, r rig.Result, code int, want string) {
	t.Helper()
	if r.Exits(code); steady(r.Stderr) != want {
		t.Errorf("it tells\n%swant\n%s", steady(r.Stderr), want)
	}
}

// quick are the flags of a job that takes hardly anything.
func quick(d *rig.Daemon, script string) []string {
	return []string{"--image", d.Host.Shell(), "--cpu", "0.1", "--memory", "128Mi", "--max-retries", "0", "--args", script}
}

// contract: CLI-7
func TestCLI7ListsHaveColumnsAndMarks(t *testing.T) {
	d := daemon(t)
	const when, who = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`, `\S+`
	job, bad, pool := nameOf(t, "job"), nameOf(t, "bad"), nameOf(t, "pool")
	passing(t, d, "services", nameOf(t))
	passing(t, d, "jobs", job, bad)
	passing(t, d, "worker-pools", pool)
	words(d, "jobs deploy "+job+" --tasks 2 --execute-now --wait", quick(d, "true")...)
	d.CLI(append(strings.Fields("jobs deploy "+bad+" --execute-now --wait"), quick(d, "exit 1")...)...).Exits(1)
	words(d, "worker-pools deploy "+pool+" --instances 0 --image "+d.Host.Shell())
	d.Deploy(nameOf(t)).Exits(0)
	d.Deploy(nameOf(t), "--image", d.Host.Shell(), "--args", "exit 1").Exits(1)

	matches(t, words(d, "jobs list").Stdout, ` JOB REGION LAST RUN AT CREATED CREATED BY`,
		`\+ `+job+` us-central1 `+when+` `+when+` `+who)
	matches(t, words(d, "jobs executions list --job "+job).Stdout, ` JOB EXECUTION REGION RUNNING COMPLETE CREATED RUN BY`,
		`\+ `+job+` `+job+`-\w{5} us-central1 0 2 / 2 `+when+` `+who)
	matches(t, words(d, "jobs executions list --job "+bad).Stdout, `X `+bad+` `+bad+`-\w{5} us-central1 0 0 / 1 `+when+` `+who)
	for name, rows := range map[string][]string{
		job: {` INDEX STATE TASK STARTED COMPLETED RETRIES`, `\+ 1 Succeeded ` + job + `-\w{5}-task1 ` + when + ` ` + when + ` 0`},
		bad: {`X 0 Failed ` + bad + `-\w{5}-task0 ` + when + ` ` + when + ` 0`},
	} {
		execution := strings.TrimSpace(words(d, "jobs executions list --format value(name) --job "+name).Stdout)
		matches(t, words(d, "jobs executions tasks list --execution "+execution).Stdout, rows...)
	}
	matches(t, words(d, "services list").Stdout, ` SERVICE REGION URL LAST DEPLOYED BY LAST DEPLOYED AT`,
		`X `+nameOf(t)+` us-central1 http://`+nameOf(t)+`\.run\.localhost:\d+ `+who+` `+when)
	matches(t, words(d, "revisions list --service "+nameOf(t)).Stdout, ` REVISION ACTIVE SERVICE DEPLOYED DEPLOYED BY`,
		`X `+nameOf(t)+`-00002-\w{3} `+nameOf(t)+` `+when+` `+who, `[+.] `+nameOf(t)+`-00001-\w{3} yes `+nameOf(t)+` `+when+` `+who)
	matches(t, words(d, "worker-pools list").Stdout, ` WORKER_POOL REGION LAST DEPLOYED BY LAST DEPLOYED AT CREATED BY CREATED`,
		`\+ `+pool+` us-central1 `+who+` `+when+` `+who+` `+when)
	term := testenv.NewTerminal(t, 200)
	onTerminal(d, term, "jobs", "list").Wait().Exits(0)
	d.Eventually("a green mark", func() bool { return strings.Contains(term.Shown(), "\x1b[32m✔\x1b[0m  "+job+" ") })
}

// contract: CLI-8
func TestCLI8ProgressIsToldInStages(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	for _, kind := range []string{"services", "jobs", "worker-pools"} {
		passing(t, d, kind, name)
	}
	plain := words(d, "jobs deploy "+name+" --execute-now --wait", quick(d, "sleep 1")...).Stderr // a mark turns ten times a second
	if want := "Creating and running job...\nProvisioning resources... done\nStarting execution... done\nRunning execution... done (1 / 1 complete)\nDone.\n"; !strings.Contains(plain, want) {
		t.Errorf("without a terminal it tells\n%swant\n%s", plain, want)
	}
	plain = words(d, "deploy "+name+" --allow-unauthenticated --memory 256Mi --image "+d.Host.Server()).Stderr
	if want := "Deploying new service...\nSetting IAM Policy... done\nCreating Revision... done\nRouting traffic... done\nDone.\n"; !strings.Contains(plain, want) {
		t.Errorf("without a terminal it tells\n%swant\n%s", plain, want)
	}
	words(d, "worker-pools deploy "+name+" --instances 0 --image "+d.Host.Shell()).Shows("Deploying new worker pool...\nCreating Revision... done\nDone.\n")
	words(d, "worker-pools update-instance-split "+name+" --to-latest").Shows("Updating instance split...\nSplitting instances... done\nDone.\n")

	term := testenv.NewTerminal(t, 100)
	onTerminal(d, term, "jobs", "execute", name, "--wait").Wait().Exits(0)
	screen(t, d, term, "Done.\nExecution [", "✓ Creating execution...\n  ✓ Provisioning resources...\n  ✓ Starting execution...\n  ✓ Running execution... 1 / 1 complete\nDone.\n")
	if !regexp.MustCompile(`[⠛⠹⠼⠶⠧] Creating execution\.\.\.`).MatchString(term.Shown()) {
		t.Errorf("no mark has turned:\n%q", rig.Clip(term.Shown()))
	}
	term = testenv.NewTerminal(t, 100)
	onTerminal(d, term, "services", "update", name, "--update-env-vars", "A=1").Wait().Exits(0)
	screen(t, d, term, "Done.\nService [", "✓ Deploying...\n  ✓ Creating Revision...\n  ✓ Routing traffic...\nDone.\n")
}

// screen waits until a terminal shows text, and fails the test unless what stands
// there then, after all that was written over, is want.
func screen(t *testing.T, d *rig.Daemon, term *testenv.Terminal, text, want string) {
	t.Helper()
	d.Eventually("the terminal shows "+text, func() bool { return strings.Contains(term.Shown(), text) })
	up := regexp.MustCompile(`\x1b\[\d+A`).FindAllStringIndex(term.Shown(), -1)
	if len(up) == 0 {
		t.Fatalf("nothing has been drawn anew:\n%q", rig.Clip(term.Shown()))
	}
	last := strings.ReplaceAll(term.Shown()[up[len(up)-1][1]:], "\r\x1b[K", "")
	if !strings.HasPrefix(last, want) {
		t.Errorf("the terminal ends with\n%swant\n%s", last, want)
	}
}

// contract: CLI-9
func TestCLI9SuccessIsToldInSentences(t *testing.T) {
	d := daemon(t)
	const about, again = "\nView details about this execution by running:\nrunnel jobs executions describe cli9-xxx\n", "\nTo execute this job again, use:\nrunnel jobs execute cli9\n"
	tells(t, d.CLI(append([]string{"jobs", "create", "cli9"}, quick(d, "true")...)...), 0, "Creating Cloud Run job [cli9] in project [local] region [us-central1]\n"+
		"Creating job...\nDone.\nJob [cli9] has successfully been created.\n\nTo execute this job, use:\nrunnel jobs execute cli9\n")
	tells(t, d.CLI("jobs", "update", "cli9", "--tasks", "2", "--execute-now"), 0, "Updating Cloud Run job [cli9] in project [local] region [us-central1]\n"+
		"Updating and running job...\nProvisioning resources... done\nDone.\nJob [cli9] has successfully been updated and started running execution [cli9-xxx].\n"+about+again)
	tells(t, d.CLI("jobs", "execute", "cli9"), 0, "Creating execution...\nProvisioning resources... done\nDone.\nExecution [cli9-xxx] has successfully started running.\n"+about)
	tells(t, d.CLI("jobs", "execute", "cli9", "--wait"), 0, "Creating execution...\nProvisioning resources... done\nStarting execution... done\n"+
		"Running execution... done (2 / 2 complete)\nDone.\nExecution [cli9-xxx] has successfully completed.\n"+about)
	tells(t, d.CLI("jobs", "delete", "cli9", "--quiet"), 0, "Deleting [cli9]...\nDone.\nDeleted job [cli9].\n")

	const deploying = "Deploying container to Cloud Run service [cli9] in project [local] region [us-central1]\nDeploying"
	const url = "Service URL: http://cli9.run.localhost\n"
	tells(t, d.Deploy("cli9"), 0, deploying+" new service...\nSetting IAM Policy... done\nCreating Revision... done\nRouting traffic... done\nDone.\n"+
		"Service [cli9] revision [cli9-00001-xxx] has been deployed and is serving 100 percent of traffic.\n"+url)
	tells(t, d.CLI("services", "update-traffic", "cli9", "--to-latest"), 0, "Updating traffic...\nRouting traffic... done\nDone.\n")
	tells(t, d.CLI("deploy", "cli9", "--image", d.Host.Server(), "--no-traffic", "--tag", "next"), 0, deploying+"...\nCreating Revision... done\nDone.\n"+
		"Service [cli9] revision [cli9-00002-xxx] has been deployed and is serving 0 percent of traffic.\nThe revision can be reached directly at http://next---cli9.run.localhost\n")
	tells(t, d.CLI("services", "delete", "cli9", "--quiet"), 0, "Deleting [cli9]...\nDone.\nDeleted service [cli9].\n")

	tells(t, d.CLI("worker-pools", "deploy", "cli9", "--image", d.Host.Shell(), "--instances", "0"), 0, "Deploying container to Cloud Run worker pool [cli9] in project [local] region [us-central1]\n"+
		"Deploying new worker pool...\nCreating Revision... done\nDone.\nWorker pool [cli9] revision [cli9-00001-xxx] has been deployed.\n\n"+
		"No instance is to run. To start one, use:\nrunnel worker-pools update cli9 --instances 1\n")
	tells(t, d.CLI("worker-pools", "delete", "cli9", "--quiet"), 0, "Deleting [cli9]...\nDone.\nDeleted worker pool [cli9].\n")
}

// contract: CLI-10
func TestCLI10ResultsComeInEveryForm(t *testing.T) {
	d := daemon(t)
	job := nameOf(t)
	words(d, "jobs create "+job+" --tasks 2 --labels team=data", quick(d, goesOn)...)
	type resource struct {
		Metadata struct{ Name string }
		Spec     struct {
			Template struct{ Spec struct{ TaskCount int } }
		}
	}
	for _, form := range []string{"json", "yaml", "export"} {
		var got resource
		text := words(d, "jobs describe "+job+" --format "+form).Stdout
		if err := yaml.Unmarshal([]byte(text), &got); err != nil || got.Metadata.Name != job || got.Spec.Template.Spec.TaskCount != 2 || json.Valid([]byte(text)) != (form == "json") {
			t.Errorf("%s: %v, %+v\n%s", form, err, got, text)
		}
	}
	const counted = "spec.template.spec.taskCount"
	for form, want := range map[string]string{
		"value(name," + counted + ")": job + "\t2\n", "csv(name," + counted + ":label=TASKS)": "name,TASKS\n" + job + ",2\n",
		"table(name:label=JOB," + counted + ":label=TASKS)": "JOB    TASKS\n" + job + "  2\n", "none": "",
	} {
		if got := words(d, "jobs list --filter name="+job, "--format", form).Stdout; got != want {
			t.Errorf("%s: %q, want %q", form, got, want)
		}
	}
	// What is exported is what replace takes, which then changes nothing.
	file := edited(t, d, "jobs describe "+job)
	words(d, "jobs replace "+file)
	exported, err := os.ReadFile(file)
	if again := words(d, "jobs describe "+job+" --format export").Stdout; err != nil || again != string(exported) {
		t.Errorf("%v, exported\n%sand after replace\n%s", err, exported, again)
	}
	if got := words(d, "jobs describe "+job+" --format value(metadata.generation)").Stdout; got != "1\n" {
		t.Errorf("generation %s", got)
	}

	tells(t, d.CLI("jobs", "execute", job, "--async"), 0, "Execution [cli10-xxx] is being started asynchronously.\n\nView details about this execution by running:\nrunnel jobs executions describe cli10-xxx\n")
	execution := strings.TrimSpace(words(d, "jobs executions list --format value(name) --job "+job).Stdout)
	for _, verb := range []string{"jobs executions cancel " + execution, "jobs executions delete " + execution, "jobs delete " + job} {
		r := d.CLI(strings.Fields(verb)...).Exits(2)
		if !strings.HasSuffix(r.Stderr, "Nobody is here to confirm that: add --quiet to go ahead\n") {
			t.Errorf("%s: %s", verb, r)
		}
	}
	term := testenv.NewTerminal(t, 100)
	p := onTerminal(d, term, "jobs", "executions", "cancel", execution)
	answers(d, term, "Do you want to continue (Y/n)?  ", "n")
	p.Wait().Exits(1)
	words(d, "jobs executions cancel "+execution+" --quiet")
	tells(t, d.CLI("jobs", "delete", job, "--quiet", "--async"), 0, "Job ["+job+"] is being deleted.\n")
}

// contract: DIS-1
func TestDIS1DisabledServiceAnswers503(t *testing.T) {
	d := daemon(t)
	passing(t, d, "services", nameOf(t))
	// Where an instance takes long to start, requests are refused meanwhile.
	serves := func() bool { return d.Get(nameOf(t), "/").Code == 200 }
	d.Deploy(nameOf(t)).Exits(0)
	d.Until("it answers", serves)
	words(d, "services update "+nameOf(t)+" --scaling 0")
	d.Get(nameOf(t), "/").Is(d.Host, 503, "Service is disabled")
	words(d, "services update "+nameOf(t)+" --scaling 1")
	d.Until("it answers again", serves)
}
