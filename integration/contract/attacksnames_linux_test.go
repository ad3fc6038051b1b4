package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// call sends a request to the daemon's API and gives the status of the answer, and
// its text.
func call(t *testing.T, d *rig.Daemon, method, target string, body any) (status int, text string) {
	t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://daemon"+target, strings.NewReader(string(sent)))
	if err != nil {
		t.Fatal(err)
	}
	client := d.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// object is one of JSON's.
type object map[string]any

// jobOf is a job of one container, as the API takes it.
func jobOf(container object) object {
	return object{"template": object{"template": object{"maxRetries": 0, "containers": []any{container}}}}
}

// contract: ATK-28
func TestATK28EnvironmentsPassExactly(t *testing.T) {
	d := daemon(t)
	config := imagetest.Config{
		Entrypoint: []string{"/bin/sh", "-c", `tr '\0' '\n' </proc/1/environ | grep -v -e ^CLOUD_RUN -e ^BIG; echo ${#BIG}; printf '<%s>' "$@"; echo`, "sh"},
		// A name without a value must not mean: as on the host.
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NONE", "*", "=x", "PWD", testenv.EnvBin, testenv.EnvVM, "IMAGE=mine"},
	}
	image := d.Host.Build(imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: config})
	r := try(t, d, image, nil,
		"--set-env-vars", "^\x02^A=$(id) `id`\x02B=%s%n\x02C=a;b|c,d\x02D='\"\\\x02*=2\x02a b=3\x02LD_PRELOAD=/x\x02-n=5\x02GLOB=/*\x02HOSTNAME=../../x\x02BIG="+strings.Repeat("v", 32768),
		"--args", "--flag\x01$HOME `id` %s\x01\\ ' \"\x01"+strings.Repeat("x", 100))
	want := "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nIMAGE=mine\nA=$(id) `id`\nB=%s%n\nC=a;b|c,d\nD='\"\\\n*=2\na b=3\nLD_PRELOAD=/x\n-n=5\nGLOB=/*\nHOSTNAME=../../x\n"
	rest, exact := strings.CutPrefix(r.Log, want)
	if !exact || !strings.HasSuffix(rest, "32768\n<--flag><$HOME `id` %s><\\ ' \"><"+strings.Repeat("x", 100)+">\n") || strings.Count(rest, "\n") > 3 {
		t.Errorf("exit %d, the task has\n%s\nwant\n%s\n%s", r.Code, r.Log, want, r)
	}
	for why, env := range map[string]object{
		"above the limit": {"name": "BIG", "value": strings.Repeat("v", 32769)}, "a name with =": {"name": "A=B", "value": "x"},
		"no name": {"value": "x"}, "a zero byte": {"name": "A", "value": "a\x00b"}, "the platform's": {"name": "CLOUD_RUN_JOB", "value": "x"},
	} {
		status, text := call(t, d, http.MethodPost, "/v2/projects/local/locations/us-central1/jobs?jobId="+nameOf(t, "bad"),
			jobOf(object{"image": image, "env": []any{env}}))
		if status != 400 {
			t.Errorf("%s: %d %s", why, status, rig.Clip(text))
		}
	}
}

// contract: ATK-35
func TestATK35WhatIsTooLongIsRefusedAndNeverCut(t *testing.T) {
	d := daemon(t)
	script := func(env []any, args ...any) object {
		return object{"image": d.Host.Shell(), "env": env, "resources": object{"limits": object{"cpu": "0.2", "memory": "128Mi"}}, "args": append([]any{`echo ${#0} $(env | grep -c ^V)`}, args...)}
	}
	many := func(n int) (env []any) {
		for i := range n {
			env = append(env, object{"name": fmt.Sprintf("V%d", i), "value": strings.Repeat("v", 32768)})
		}
		return env
	}
	const jobs = "/v2/projects/local/locations/us-central1/jobs"
	for name, c := range map[string]struct {
		container object
		log       string // what is printed, or said of a failed start; nothing: it is refused
	}{
		"arg":  {script(nil, strings.Repeat("x", 1<<17-1)), "131071 0\n"}, // the most that the kernel takes
		"args": {script(nil, strings.Repeat("x", 1<<17)), ""},
		"env":  {script(many(20), "x"), "1 20\n"},
		"envs": {script(many(70), "x"), "rgument list too long"}, // beyond what the kernel takes
		"dir":  {object{"image": d.Host.Shell(), "args": []any{"pwd"}, "workingDir": "/" + strings.Repeat("d", 5000)}, ""},
	} {
		name := nameOf(t, name)
		if status, text := call(t, d, http.MethodPost, jobs+"?jobId="+name, jobOf(c.container)); c.log == "" {
			if status != 400 {
				t.Errorf("%s: %d %s, want it refused", name, status, rig.Clip(text))
			}
			continue
		} else if status != 200 {
			t.Errorf("%s: %d %s", name, status, rig.Clip(text))
			continue
		}
		t.Cleanup(func() { d.CLI("jobs", "delete", name, "--quiet").Exits(0) })
		r := d.CLI("jobs", "execute", name, "--wait")
		log := d.CLI("jobs", "logs", name, "--format", "value(textPayload)").Exits(0).Stdout
		if failed := !strings.HasSuffix(c.log, "\n"); !strings.Contains(log, c.log) || failed != (r.Code == 1) {
			t.Errorf("%s: exit %d, want %q\n%s%s", name, r.Code, c.log, rig.Clip(log), r)
		}
	}
	if status, text := call(t, d, http.MethodPost, jobs+"?jobId="+nameOf(t, "huge"), jobOf(script(many(600), "x"))); status != 400 && status != 413 {
		t.Errorf("20 MB: %d %s", status, rig.Clip(text))
	}
	if status, _ := call(t, d, http.MethodGet, jobs+"/"+nameOf(t, "huge"), nil); status != 404 {
		t.Errorf("what was refused is there: %d", status)
	}
}

// contract: ATK-38
func TestATK38HostileNamesAreRefusedOrTakenLiterally(t *testing.T) {
	d := daemon(t)
	outside := t.TempDir()
	evil := "$(touch " + outside + "/x)"
	const parent = "/v2/projects/local/locations/us-central1/"
	good := jobOf(object{"image": d.Host.Shell(), "args": []any{"echo " + nameOf(t)}})
	for _, name := range []string{"..", "../x", "../../../../etc/x", "a/b", "a/../b", ".", "-rf", "--help", evil, "`id`", "a;id", "a|id", "a b", "a\nb", "a\x00b",
		"%s%n", "%2e%2e", "A", "ä", "a_b", "a.b", "*", strings.Repeat("a", 64)} {
		for _, kind := range []string{"jobs?jobId=", "services?serviceId=", "workerPools?workerPoolId="} {
			if status, text := call(t, d, http.MethodPost, parent+kind+url.QueryEscape(name), good); status != 400 {
				t.Errorf("%s%q: %d %s", kind, name, status, rig.Clip(text))
			}
		}
		for _, path := range []string{"jobs/", "jobs/x/executions/", "services/", "operations/"} {
			if status, _ := call(t, d, http.MethodGet, parent+path+url.PathEscape(name), nil); status != 400 && status != 404 && status != 301 && status != 307 {
				t.Errorf("%s%q is read: %d", path, name, status)
			}
		}
	}
	labelled := jobOf(object{"image": d.Host.Shell()})
	for _, label := range []string{"../x", evil, "a b", "run.googleapis.com/x"} {
		labelled["labels"] = object{label: "x"}
		if status, text := call(t, d, http.MethodPost, parent+"jobs?jobId="+nameOf(t, "label"), labelled); status != 400 {
			t.Errorf("label %q: %d %s", label, status, text)
		}
	}
	for _, image := range []string{evil, "a b", "../x", "oci:" + outside + "/" + evil, "oci-archive:/etc/passwd", "http://localhost/x", "-x"} {
		r := d.CLI("jobs", "deploy", nameOf(t, "image"), "--image="+image, "--execute-now", "--wait")
		if r.Code == 0 || strings.Contains(r.Stderr, "root:") {
			t.Errorf("image %q: exit %d\n%s", image, r.Code, r)
		}
	}
	r := try(t, d, d.Host.Shell(), []string{"literal"}, "--command", "echo", "--args", evil+"\x01`id`\x01%s%n\x01;id\x01../..")
	if want := evil + " `id` %s%n ;id ../..\n"; r.Log != want {
		t.Errorf("arguments come out as %q, want %q", r.Log, want)
	}
	if left, err := filepath.Glob(outside + "/*"); err != nil || len(left) > 0 {
		t.Errorf("%q was made, %v", left, err)
	}
}
