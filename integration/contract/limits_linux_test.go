package contract

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/inside/look"
	"runnel/internal/testenv"
)

// contract: LIM-1
func TestLIM1OpenFilesAre25000(t *testing.T) {
	d := daemon(t)
	serveInside(d, nameOf(t))
	var raised struct{ Error string }
	act(d, nameOf(t), "raise", &raised, "soft", "25001", "hard", "25001")
	var own, childs look.Report
	act(d, nameOf(t), "report", &own, "only", "limits")
	act(d, nameOf(t), "child", &childs, "only", "limits")
	files := own.Limits["NOFILE"]
	if files.Soft != files.Hard || childs.Limits["NOFILE"] != files || !strings.Contains(raised.Error, "not permitted") {
		t.Errorf("%+v, of a child %+v, to raise it: %q", files, childs.Limits["NOFILE"], raised.Error)
	}
	testenv.Require(t, testenv.NoFile)
	var open struct {
		Opened, Highest int
		Error           string
	}
	act(d, nameOf(t), "open", &open)
	if files.Soft != "25000" || open.Highest != 24999 || !strings.Contains(open.Error, "too many open files") {
		t.Errorf("the limit is %+v; opened %+v", files, open)
	}
}

// contract: LIM-3
func TestLIM3SetuidMakesNobodyRoot(t *testing.T) {
	d := daemon(t)
	logs := runScript(t, d, `mkdir /added && cp /bin/busybox /added/id && chmod 4755 /added/id
		stat -c '%U %a' /image/id /added/id
		su app -s /bin/sh -c 'echo "added: $(/added/id -u)"; echo "of the image: $(/image/id -u)"'`, "--image", setuidImage(d))
	if strings.Count(logs, "root 4755\n") != 2 || !strings.Contains(logs, "added: 1000\n") || !strings.Contains(logs, "of the image: 1000\n") {
		t.Errorf("a setuid program says\n%s", logs)
	}
	refusedFile(t, d, "services", `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: `+nameOf(t)+`}
spec: {template: {spec: {containers: [{image: x, securityContext: {privileged: true}}]}}}
`, "securityContext")
}

// setuidImage is the image of scripts with a setuid program of root's.
func setuidImage(d *rig.Daemon) string {
	d.Host.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		d.Host.Fatal(err)
	}
	return d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(d.Host), {Entries: []imagetest.Entry{imagetest.File("image/id", string(busybox), 0o4755)}}},
		Config: rig.ShellConfig(),
	})
}

// refusedFile fails the test unless a file is refused with all of words.
func refusedFile(t *testing.T, d *rig.Daemon, family, text string, words ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := d.CLI(family, "replace", file)
	if r.Code == 0 {
		t.Errorf("taken:\n%s", text)
	}
	r.Shows(words...)
}

// contract: LIM-4
func TestLIM4RootMayBecomeAnother(t *testing.T) {
	d := daemon(t)
	// One line, for what su says to /dev/log comes between any two.
	logs := runScript(t, d, `echo "ids: $(id -u) $(su app -s /bin/sh -c 'echo $(id -u) $(id -g) $(id -un)')"`)
	if want := "ids: 0 1000 1000 app\n"; !strings.Contains(logs, want) {
		t.Errorf("not %q, but\n%s", want, logs)
	}
}

// contract: LIM-5
func TestLIM5UnknownUserMeansRoot(t *testing.T) {
	d := daemon(t)
	image := d.Host.Build(imagetest.Build{
		Layers: []imagetest.Layer{imagetest.MustBusybox(t), d.Host.InsideLayer()},
		Config: imagetest.Config{Entrypoint: []string{"/inside"}, User: "nobody-knows"},
	})
	var r look.Report
	smallTask(t, d, nameOf(t), &r, "--image", image, "--args", "report,only=ids")
	if r.IDs.UID != [3]int{} || r.IDs.GID != [3]int{} {
		t.Errorf("it runs as %+v", r.IDs)
	}
}

// contract: LIM-6
func TestLIM6ApplicationIsProcess1OfATreeOfItsOwn(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		if r.IDs.PID != 1 || r.IDs.PPID != 0 || len(r.Processes) != 1 || r.Processes[0].Args[0] != "/inside" {
			t.Errorf("a %s is %+v and sees %+v", what, r.IDs, r.Processes)
		}
	}
}

// contract: LIM-7
func TestLIM7MachineIsGoogles(t *testing.T) {
	d := daemon(t)
	testenv.Require(t, testenv.DMI)
	for what, r := range bothSee(t, d) {
		if got := r.Machine.DMI["product_name"]; got != "Google Compute Engine" {
			t.Errorf("a %s runs on a %q", what, got)
		}
	}
}

// contract: LIM-8
func TestLIM8JobsAndWorkersAreOfTheSecondGeneration(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	of := func(g runpb.ExecutionEnvironment) error {
		return c.task(&runpb.TaskTemplate{Containers: []*runpb.Container{{}}, ExecutionEnvironment: g})
	}
	c.refused("a job of the first", of(runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1), "executionEnvironment")
	c.taken("a job of the second", of(runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2))
	refusedFile(t, d, "worker-pools", `apiVersion: run.googleapis.com/v1
kind: WorkerPool
metadata: {name: `+nameOf(t)+`}
spec:
  template:
    metadata: {annotations: {run.googleapis.com/execution-environment: gen1}}
    spec: {containers: [{image: `+d.Host.Shell()+`}]}
`, "execution-environment", "gen1")
}

// contract: LIM-9
func TestLIM9DoctorMissesAVX2(t *testing.T) {
	d := daemon(t)
	flags := taskSees(t, d).Machine.CPUFlags
	for has, env := range map[bool]string{slices.Contains(flags, "avx2"): "GODEBUG=", false: "GODEBUG=cpu.avx2=off"} {
		// The second is how a program in Go is told that its processor lacks it.
		r := d.Host.StartWith(func(c *exec.Cmd) { c.Env = append(c.Env, env) }, "doctor", "--format", "json").Wait()
		var findings []struct{ Name, Status, Advice string }
		if err := json.Unmarshal([]byte(r.Stdout), &findings); err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		found := 0
		for _, f := range findings {
			if f.Name == "AVX2" {
				found++
				if ok := f.Status == "ok"; ok != has || ok == strings.Contains(f.Advice, "SIGILL") {
					t.Errorf("a processor with AVX2 %v: %+v", has, f)
				}
			}
		}
		if found != 1 {
			t.Errorf("AVX2 is looked at %d times\n%s", found, r)
		}
	}
}

// contract: LIM-11
func TestLIM11NobodyMountsOrReachesDevices(t *testing.T) {
	d := daemon(t)
	for what, r := range bothSee(t, d) {
		if len(r.Powers) < 20 {
			t.Errorf("a %s has tried %q only", what, r.Powers)
		}
		for call, got := range r.Powers {
			if got != "EPERM" && got != "EACCES" {
				t.Errorf("a %s tries %s: %s", what, call, got)
			}
		}
		if got := r.Capabilities.Effective; !slices.Equal(got, dockersCapabilities()) {
			t.Errorf("a %s has %q", what, got)
		}
	}
}

// dockersCapabilities are those that Docker gives by default, as the kernel
// counts them.
func dockersCapabilities() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
		"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
	}
}
