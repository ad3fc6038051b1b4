package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"runnel/integration/rig"
)

// stored are resources that run nothing: what is set of them can be changed at no
// cost.
type stored struct {
	kind string
	// deploy makes one, container is where --format finds its container.
	deploy, container string
}

// ofEachKind are one of each kind.
func ofEachKind() []stored {
	return []stored{
		{"jobs", "jobs deploy", "spec.template.spec.template.spec.containers[0]"},
		{"services", "deploy --no-allow-unauthenticated --scaling 0 --no-deploy-health-check", "spec.template.spec.containers[0]"},
		{"worker-pools", "worker-pools deploy --instances 0", "spec.template.spec.containers[0]"},
	}
}

// name is what a test calls its resource of that kind.
func (s stored) name(t *testing.T) string { return nameOf(t, s.kind) }

// make makes the resource.
func (s stored) make(t *testing.T, d *rig.Daemon, flags ...string) {
	t.Helper()
	passing(t, d, s.kind, s.name(t))
	words(d, s.deploy+" "+s.name(t), append([]string{"--image", d.Host.Shell()}, flags...)...)
}

// update changes it, and fails the test unless it has values at keys then.
func (s stored) update(t *testing.T, d *rig.Daemon, keys, want string, flags ...string) {
	t.Helper()
	got := words(d, s.kind+" update "+s.name(t)+" --format value("+keys+")", flags...).Stdout
	if got != want+"\n" {
		t.Errorf("%s after %s: %q, want %q", s.kind, flags, got, want)
	}
}

// has fails the test unless it has values at keys.
func (s stored) has(t *testing.T, d *rig.Daemon, keys, want string) {
	t.Helper()
	got := words(d, s.kind+" describe "+s.name(t)+" --format value("+keys+")").Stdout
	if got != want+"\n" {
		t.Errorf("%s: %q, want %q", s.kind, got, want)
	}
}

// contract: CLI-11
func TestCLI11VariablesAndLabelsHaveTheirFlags(t *testing.T) {
	d := daemon(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	yaml := write("vars.yaml", "X: \"1\"\nA: a, b\n")
	dot := write("vars.env", "# comment\nexport X=1 # more\nB='$ # raw'\nC=\"two words\"\n")
	for _, s := range ofEachKind() {
		s.make(t, d, "--set-env-vars", "A=1,B=2,C=3", "--labels", "team=data,stage=dev")
		keys := s.container + ".env.name," + s.container + ".env.value,metadata.labels.team,metadata.labels.stage"
		s.has(t, d, keys, "A;B;C\t1;2;3\tdata\tdev")
		for _, c := range []struct{ variables, labels, want string }{
			{"--update-env-vars=B=9,D=x=y", "--update-labels=stage=prod", "A;B;C;D\t1;9;3;x=y\tdata\tprod"},
			{"--remove-env-vars=A,none", "--remove-labels=team,none", "B;C;D\t9;3;x=y\t\tprod"},
			{"--set-env-vars=^@^A=1,2@B=3", "--labels=team=web", "A;B\t1,2;3\tweb\tprod"},
			{"--env-vars-file=" + yaml, "--update-labels=team=", "X;A\t1;a, b\t\tprod"},
			{"--env-vars-file=" + dot, "--clear-labels", "X;B;C\t1;$ # raw;two words\t\t"},
			{"--clear-env-vars", "--update-labels=team=ops", "\t\tops\t"},
		} {
			s.update(t, d, keys, c.want, c.variables, c.labels)
		}
		d.CLI(s.kind, "update", s.name(t), "--set-env-vars", "A=1", "--clear-env-vars").Exits(2).Shows("--set-env-vars: cannot stand beside --clear-env-vars")
	}
}

// contract: CLI-12
func TestCLI12ContainersHaveFlagsOfTheirOwn(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	passing(t, d, "services", name)
	words(d, "deploy "+name+" --allow-unauthenticated --container main --port 8080 --cpu 0.5 --memory 256Mi --concurrency 1 --set-env-vars A=main",
		"--image", d.Host.Server(), "--container", "side", "--image", d.Host.Server(), "--cpu", "0.2", "--memory", "128Mi", "--set-env-vars", "A=side,SIDE_PORT=9090")
	d.Get(name, "/env").Is(d.Host, 200, `"A":"main"`)
	d.Eventually("the one beside answers", func() bool {
		return strings.Contains(d.Get(name, "/fetch?url=http%3A%2F%2Flocalhost%3A9090%2Fenv").Body, `\"A\":\"side\"`)
	})
	keys := "spec.template.spec.containers.name,spec.template.spec.containers.resources.limits.memory"
	if got := words(d, "services describe "+name+" --format value("+keys+")").Stdout; got != "main;side\t256Mi;128Mi\n" {
		t.Errorf("the containers are %s", got)
	}
	words(d, "services update "+name+" --remove-containers side --container main --update-env-vars A=alone")
	if got := words(d, "services describe "+name+" --format value("+keys+")").Stdout; got != "main\t256Mi\n" {
		t.Errorf("the containers are %s", got)
	}
	d.Get(name, "/env").Is(d.Host, 200, `"A":"alone"`)
	if out := d.Get(name, "/fetch?url=http%3A%2F%2Flocalhost%3A9090%2Fenv").Body; strings.Contains(out, `\"A\":\"side\"`) {
		t.Errorf("the one beside still answers: %s", out)
	}
}

// contract: CLI-13
func TestCLI13DurationsMemoryAndCPUAreWrittenSo(t *testing.T) {
	d := daemon(t)
	job, service := ofEachKind()[0], ofEachKind()[1]
	job.make(t, d)
	limits := job.container + ".resources.limits.cpu," + job.container + ".resources.limits.memory,spec.template.spec.template.spec.timeoutSeconds"
	for _, c := range []struct {
		cpu, memory, timeout string
		want                 string
	}{
		{"0.5", "512Mi", "10m5s", "0.5\t512Mi\t605"},
		{"1", "1Gi", "90", "1\t1Gi\t90"},
		{"2", "1G", "168h", "2\t1G\t604800"},
		{"1", "1536Mi", "1s", "1\t1536Mi\t1"},
	} {
		job.update(t, d, limits, c.want, "--cpu", c.cpu, "--memory", c.memory, "--task-timeout", c.timeout)
	}
	service.make(t, d, "--timeout", "1m30s", "--cpu", "1", "--memory", "1Gi")
	service.has(t, d, "spec.template.spec.timeoutSeconds,"+service.container+".resources.limits.memory", fmt.Sprint((90*time.Second).Seconds())+"\t1Gi")
	for flag, want := range map[string]string{
		"--task-timeout=soon": "--task-timeout", "--task-timeout=0": "--task-timeout", "--task-timeout=10x": "--task-timeout",
		"--memory=lots": "--memory lots", "--memory=1Zi": "--memory 1Zi", "--cpu=fast": "--cpu fast", "--cpu=-1": "--cpu -1",
	} {
		d.CLI("jobs", "update", job.name(t), flag).Exits(2).Shows(want)
	}
}
