package contract

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// onTerminal begins a command of the command line on a terminal.
func onTerminal(d *rig.Daemon, term *testenv.Terminal, args ...string) *rig.Process {
	d.Host.Helper()
	return d.StartCLI(func(c *exec.Cmd) {
		c.Env = append(c.Env, "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=")
		c.Stdin, c.Stdout, c.Stderr = term.TTY, term.TTY, term.TTY
	}, args...)
}

// answers waits for a question on a terminal, and types what follows it.
func answers(d *rig.Daemon, term *testenv.Terminal, question, answer string) {
	d.Host.Helper()
	d.Eventually("the terminal asks "+question, func() bool { return strings.HasSuffix(term.Shown(), question) })
	if _, err := term.Keyboard.WriteString(answer + "\n"); err != nil {
		d.Host.Fatal(err)
	}
}

// words runs a command, which must succeed, whose words are separated by spaces.
func words(d *rig.Daemon, line string, more ...string) rig.Result {
	d.Host.Helper()
	return d.CLI(append(strings.Fields(line), more...)...).Exits(0)
}

// passing has what a test makes of a kind, such as services, go with the test: its
// memory is for others then.
func passing(t *testing.T, d *rig.Daemon, kind string, names ...string) {
	t.Helper()
	t.Cleanup(func() {
		for _, name := range names {
			d.CLI(kind, "delete", name, "--quiet")
		}
	})
}

// edited is the file that a resource is exported to, with each old text replaced by
// the new one behind it.
func edited(t *testing.T, d *rig.Daemon, describe string, oldNew ...string) (file string) {
	t.Helper()
	exported := words(d, describe+" --format export").Stdout
	changed := strings.NewReplacer(oldNew...).Replace(exported)
	if changed == exported && len(oldNew) > 0 {
		t.Fatalf("no %q in\n%s", oldNew[0], exported)
	}
	file = filepath.Join(t.TempDir(), "resource.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// contract: CLI-1
func TestCLI1ServiceIsDeployedFromAnImage(t *testing.T) {
	d := daemon(t)
	passing(t, d, "services", nameOf(t))
	term := testenv.NewTerminal(t, 100)
	p := onTerminal(d, term, "deploy", "--image", d.Host.Server(), "--memory", "256Mi")
	answers(d, term, "Service name (server):  ", nameOf(t))
	answers(d, term, "Allow unauthenticated invocations to ["+nameOf(t)+"] (y/N)?  ", "n")
	p.Wait().Exits(0)
	d.Get(nameOf(t), "/").Is(d.Host, 403)
	d.Deploy(nameOf(t)).Exits(0)
	d.Get(nameOf(t), "/").Is(d.Host, 200, nameOf(t)+"-00002-")
	d.CLI("deploy", "--image", d.Host.Server()).Exits(2).Shows("the service's name is missing")
	d.CLI("deploy", nameOf(t, "none")).Exits(2).Shows("--image")
}

// contract: CLI-2
func TestCLI2VerbsOfJobs(t *testing.T) {
	d := daemon(t)
	job, image := nameOf(t), d.Host.Shell()
	small := []string{"--image", image, "--cpu", "0.1", "--memory", "128Mi", "--max-retries", "0", "--args"}
	words(d, "jobs create "+job, append(small, "echo $MODE")...)
	d.CLI("jobs", "create", job, "--image", image).Exits(1).Shows("job [" + job + "] exists already")
	words(d, "jobs update "+job+" --update-env-vars MODE=updated --execute-now --wait")
	words(d, "jobs deploy "+job, append(small, "echo and $MODE")...)
	words(d, "jobs replace", edited(t, d, "jobs describe "+job, "updated", "replaced"))
	words(d, "jobs execute "+job+" --wait")
	if out := words(d, "jobs logs "+job+" --format value(textPayload)").Stdout; out != "updated\nand replaced\n" {
		t.Errorf("it has printed\n%s", out)
	}
	words(d, "jobs describe "+job).Shows("+ Job "+job+" in region us-central1", "Executed 2 times", "MODE:", "replaced")
	if out := words(d, "jobs list --format value(name)").Stdout; !strings.Contains("\n"+out, "\n"+job+"\n") {
		t.Errorf("jobs:\n%s", out)
	}

	all := strings.Fields(words(d, "jobs executions list --format value(name) --job "+job).Stdout)
	if len(all) != 2 {
		t.Fatalf("the executions are %q", all)
	}
	words(d, "jobs executions describe "+all[0]).Shows("+ Execution "+all[0]+" in region us-central1", "1 task completed successfully")
	if out := words(d, "jobs executions tasks list --format value(name,running_state) --execution "+all[0]).Stdout; out != all[0]+"-task0\tSucceeded\n" {
		t.Errorf("tasks: %s", out)
	}
	words(d, "jobs executions tasks describe "+all[0]+"-task0").Shows("+ Task "+all[0]+"-task0 in region us-central1", "Exit Code:")
	words(d, "jobs executions logs "+all[0]).Shows(" and replaced\n")
	words(d, "jobs executions delete "+all[0]+" --quiet").Shows("Deleted execution [" + all[0] + "].")

	words(d, "jobs execute "+job, "--args", goesOn)
	last := strings.TrimSpace(words(d, "jobs executions list --limit 1 --format value(name) --job "+job).Stdout)
	words(d, "jobs executions cancel "+last+" --quiet").Shows("Cancelled execution [" + last + "].")
	words(d, "jobs executions describe "+last).Shows("X Execution "+last, "1 task cancelled")
	words(d, "jobs delete "+job+" --quiet").Shows("Deleted job [" + job + "].")
	d.CLI("jobs", "describe", job).Exits(1).Shows("cannot find job [" + job + "]")
	d.CLI("jobs", "executions", "describe", last).Exits(1).Shows("cannot find execution [" + last + "]")
}

// contract: CLI-3
func TestCLI3VerbsOfWorkerPools(t *testing.T) {
	d := daemon(t)
	pool := nameOf(t)
	deploy := []string{"--image", d.Host.Shell(), "--cpu", "0.1", "--memory", "128Mi", "--args", goesOn, "--revision-suffix"}
	words(d, "worker-pools deploy "+pool, append(deploy, "v1")...).Shows("Worker pool [" + pool + "] revision [" + pool + "-v1] has been deployed.")
	words(d, "worker-pools deploy --no-promote "+pool, append(deploy, "v2")...).Shows("has 0 percent of the instances")
	words(d, "worker-pools update-instance-split "+pool+" --to-revisions "+pool+"-v2=100").Shows("100%  " + pool + "-v2")
	words(d, "worker-pools update "+pool+" --instances 0").Shows("Worker pool [" + pool + "] has been updated.")
	words(d, "worker-pools replace", edited(t, d, "worker-pools describe "+pool, "manualInstanceCount: '0'", "manualInstanceCount: '1'"))
	words(d, "worker-pools describe "+pool).Shows("+ WorkerPool "+pool+" in region us-central1", "Manual (Instances: 1)")
	matches(t, words(d, "worker-pools list").Stdout, `\+ `+pool+` us-central1 .*`)
	if out := words(d, "worker-pools revisions list --format value(name) --worker-pool "+pool).Stdout; !strings.Contains(out, pool+"-v1\n") || !strings.Contains(out, pool+"-v2\n") {
		t.Errorf("revisions:\n%s", out)
	}
	words(d, "worker-pools revisions describe "+pool+"-v1").Shows(`Revision ` + pool + `-v1 in region us-central1`)
	words(d, "worker-pools revisions delete "+pool+"-v1 --quiet").Shows("Deleted revision [" + pool + "-v1].")
	words(d, "worker-pools logs "+pool).Shows("here I am")
	words(d, "worker-pools delete "+pool+" --quiet").Shows("Deleted worker pool [" + pool + "].")
	d.CLI("worker-pools", "describe", pool).Exits(1).Shows("cannot find worker pool [" + pool + "]")
}

// contract: CLI-4
func TestCLI4VerbsOfServices(t *testing.T) {
	d := daemon(t)
	service := nameOf(t)
	words(d, "deploy "+service+" --no-allow-unauthenticated --memory 256Mi --revision-suffix v1 --image "+d.Host.Server())
	words(d, "services update "+service+" --update-env-vars MODE=updated --revision-suffix v2")
	words(d, "services describe "+service).Shows("+ Service "+service+" in region us-central1", "100%  LATEST (currently "+service+"-v2)", "updated")
	matches(t, words(d, "services list").Stdout, `\+ `+service+` us-central1 http://`+service+`\.run\.localhost\S* .*`)
	words(d, "services update-traffic "+service+" --to-revisions "+service+"-v1=100").Shows("100%  " + service + "-v1")

	// Who has no token is let in by the proxy, which has one.
	d.Get(service, "/").Is(d.Host, 403)
	p := d.StartCLI(func(*exec.Cmd) {}, "services", "proxy", service, "--port", "0")
	p.Says(p.Stderr, " proxies to http://"+service+".run.localhost")
	address := regexp.MustCompile(`(?m)^(http://127\.0\.0\.1:\d+) proxies to `).FindStringSubmatch(p.Stderr.String())
	if address == nil {
		t.Fatalf("the proxy says\n%s", p.Stderr)
	}
	request, err := http.NewRequest(http.MethodGet, address[1]+"/log?text=by+the+proxy", nil)
	if err != nil {
		t.Fatal(err)
	}
	rig.Do(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, request).Is(d.Host, 200)
	p.Signal(syscall.SIGINT)
	p.Wait()

	d.Until("the log has what was sent", func() bool {
		return strings.Contains(words(d, "services logs read "+service).Stdout, " by the proxy\n")
	})
	p = d.StartCLI(func(*exec.Cmd) {}, "services", "logs", "tail", service)
	p.Says(p.Stdout, " by the proxy\n")
	p.Signal(syscall.SIGINT)
	p.Wait().Exits(130)
	words(d, "services replace", edited(t, d, "services describe "+service, "value: updated", "value: replaced", service+"-v2", service+"-v3"))
	words(d, "services describe "+service).Shows("replaced")
	words(d, "services delete "+service+" --quiet").Shows("Deleted service [" + service + "].")
	d.CLI("services", "describe", service).Exits(1).Shows("cannot find service [" + service + "]")
}
