package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Google's client for Node.js with services, before and after a kill.
func TestNodeClientOfServices(t *testing.T) {
	hostOnly(t, "there is no Node.js")
	h := openHost(t)
	d := h.serveRequests()
	for range 2 {
		d.node("services.mjs", h.server(), d.ingress[strings.LastIndexByte(d.ingress, ':')+1:])
		d.kill()
		d.start()
	}
}

// The documented REST examples with curl, over TCP, with the token, before and
// after a kill.
func TestDocumentedRequestsOfServices(t *testing.T) {
	hostOnly(t, "there is no curl")
	h := openHost(t)
	d := h.serveRequests()
	base := "http://" + d.address + "/v2/projects/local/locations/us-central1/services"
	body := func(greeting string) string {
		text, err := json.Marshal(map[string]any{"invokerIamDisabled": true, "template": map[string]any{
			"containers": []any{map[string]any{"image": h.server(), "env": []any{map[string]any{"name": "GREETING", "value": greeting}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if code, text := d.curl("-X", "POST", base+"?serviceId=hello", "-d", body("one")); code != http.StatusOK || !strings.Contains(text, "google.cloud.run.v2.Service") {
		t.Fatalf("create: %d\n%s", code, text)
	}
	ready := func() bool {
		_, text := d.curl(base + "/hello")
		return strings.Contains(text, `"reconciling": false`) || !strings.Contains(text, "reconciling") && strings.Contains(text, "latestReadyRevision")
	}
	d.eventually("the service is ready", ready)
	// curl finds every name below localhost here, and so does whoever reads the documents.
	where := "http://hello.run.localhost" + d.ingress[strings.LastIndexByte(d.ingress, ':'):] + "/env"
	if code, text := d.curl("-H", "Authorization: ", where); code != http.StatusOK || !strings.Contains(text, `"GREETING":"one"`) {
		t.Errorf("the service: %d\n%s", code, text)
	}
	d.kill()
	d.start()
	if code, text := d.curl("-H", "Authorization: ", where); code != http.StatusOK || !strings.Contains(text, `"GREETING":"one"`) {
		t.Errorf("the service after the kill: %d\n%s", code, text)
	}
	if code, text := d.curl("-X", "PATCH", base+"/hello?updateMask=template", "-d", body("two")); code != http.StatusOK {
		t.Fatalf("update: %d\n%s", code, text)
	}
	d.eventually("the change is made", func() bool {
		_, text := d.curl("-H", "Authorization: ", where)
		return strings.Contains(text, `"GREETING":"two"`)
	})
	if _, text := d.curl(base + "/hello/revisions"); strings.Count(text, `"uid"`) != 2 {
		t.Errorf("revisions: %s", text)
	}
	if code, text := d.curl("-X", "POST", base+"/hello:setIamPolicy", "-d", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["allUsers"]}]}}`); code != http.StatusOK {
		t.Errorf("policy: %d\n%s", code, text)
	}
	if code, text := d.curl("-X", "DELETE", base+"/hello"); code != http.StatusOK {
		t.Errorf("delete: %d\n%s", code, text)
	}
	d.eventually("it is gone", func() bool {
		code, _ := d.curl(base + "/hello")
		return code == http.StatusNotFound
	})
}

// contract: CLI-10, REV-1
// The documented YAML, exported and replaced without a change, before and after
// a kill: nothing changes, and there is no new revision.
func TestServiceYAMLRoundTrip(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	file := filepath.Join(t.TempDir(), "service.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: from-file
  labels: {team: web}
  annotations:
    run.googleapis.com/invoker-iam-disabled: 'true'
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/maxScale: '3'
        run.googleapis.com/startup-cpu-boost: 'true'
        run.googleapis.com/container-dependencies: '{"web":["side"]}'
    spec:
      containerConcurrency: 7
      timeoutSeconds: 30
      containers:
      - name: web
        image: ` + h.server() + `
        ports: [{name: http1, containerPort: 9000}]
        env: [{name: GREETING, value: hello}]
        resources: {limits: {cpu: 500m, memory: 256Mi}}
        volumeMounts: [{name: scratch, mountPath: /scratch}]
        livenessProbe: {httpGet: {path: /health}, periodSeconds: 20}
      - name: side
        image: ` + h.server() + `
        env: [{name: SIDE_PORT, value: '9001'}]
        resources: {limits: {cpu: 500m, memory: 128Mi}}
        startupProbe: {tcpSocket: {port: 9001}, periodSeconds: 1, failureThreshold: 30}
      volumes:
      - name: scratch
        emptyDir: {medium: Memory, sizeLimit: 16Mi}
  traffic:
  - {latestRevision: true, percent: 100, tag: now}
`)
	d.cli("services", "replace", file).exits(0)
	d.get("from-file", "/env").is(h, 200, `"GREETING":"hello"`, `"PORT":"9000"`)
	first := d.cli("services", "describe", "from-file", "--format", "export").exits(0).stdout
	for range 2 {
		write(first)
		d.cli("services", "replace", file).exits(0)
		if second := d.cli("services", "describe", "from-file", "--format", "export").exits(0).stdout; second != first {
			t.Errorf("exported\n%sreplaced and exported again\n%s", first, second)
		}
		if got := d.cli("services", "describe", "from-file", "--format", "value(metadata.generation)").exits(0).stdout; got != "1\n" {
			t.Errorf("generation %q, want 1: nothing was changed", got)
		}
		if got := d.cli("revisions", "list", "--service", "from-file", "--format", "value(name)").exits(0).stdout; strings.Count(got, "\n") != 1 {
			t.Errorf("revisions\n%s", got)
		}
		d.kill()
		d.start()
	}
	d.get("now---from-file", "/env").is(h, 200, `"GREETING":"hello"`)
	write(strings.Replace(first, "value: hello", "value: again", 1))
	d.cli("services", "replace", file).exits(0)
	d.get("from-file", "/env").is(h, 200, `"GREETING":"again"`, "from-file-00002-")
}

// contract: CLI-4, CLI-7
// What the tables of services and revisions show.
func TestTablesOfServices(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serveRequests()
	d.deploy("beta").exits(0)
	d.deploy("alpha").exits(0)
	d.deploy("alpha", "--set-env-vars", "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=8080,periodSeconds=1,failureThreshold=1").exits(1)
	port := d.ingress[strings.LastIndexByte(d.ingress, ':'):]
	rows := func(table string, want ...string) {
		t.Helper()
		lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d\n%s", len(lines), len(want), table)
		}
		for i, w := range want {
			if !regexp.MustCompile("^" + w + "$").MatchString(strings.TrimRight(lines[i], " ")) {
				t.Errorf("line %d is %q, want %s", i, lines[i], w)
			}
		}
	}
	const when = ` +\S+ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`
	rows(d.cli("services", "list").exits(0).stdout,
		` +SERVICE +REGION +URL +LAST DEPLOYED BY +LAST DEPLOYED AT`,
		`X +alpha +us-central1 +http://alpha\.run\.localhost`+port+when,
		`\S +beta +us-central1 +http://beta\.run\.localhost`+port+when)
	rows(d.cli("revisions", "list", "--service", "alpha").exits(0).stdout,
		` +REVISION +ACTIVE +SERVICE +DEPLOYED +DEPLOYED BY`,
		`X +alpha-00002-\w{3} +alpha .*`,
		`\S +alpha-00001-\w{3} +yes +alpha .*`)
	d.get("alpha", "/").is(h, 200, "alpha-00001-")
}
