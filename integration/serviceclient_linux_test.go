package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"runnel/integration/rig"
)

// Google's client for Node.js with services, before and after a kill.
func TestNodeClientOfServices(t *testing.T) {
	rig.HostOnly(t, "there is no Node.js")
	h := openHost(t)
	d := h.ServeRequests()
	for range 2 {
		runNode(d, "services.mjs", h.Server(), d.Ingress[strings.LastIndexByte(d.Ingress, ':')+1:])
		d.Kill()
		d.Start()
	}
}

// The documented REST examples with curl, over TCP, with the token, before and
// after a kill.
func TestDocumentedRequestsOfServices(t *testing.T) {
	rig.HostOnly(t, "there is no curl")
	h := openHost(t)
	d := h.ServeRequests()
	base := "http://" + d.Address + "/v2/projects/local/locations/us-central1/services"
	body := func(greeting string) string {
		text, err := json.Marshal(map[string]any{"invokerIamDisabled": true, "template": map[string]any{
			"containers": []any{map[string]any{"image": h.Server(), "env": []any{map[string]any{"name": "GREETING", "value": greeting}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if code, text := runCurl(d, "-X", "POST", base+"?serviceId=hello", "-d", body("one")); code != http.StatusOK || !strings.Contains(text, "google.cloud.run.v2.Service") {
		t.Fatalf("create: %d\n%s", code, text)
	}
	ready := func() bool {
		_, text := runCurl(d, base+"/hello")
		return strings.Contains(text, `"reconciling": false`) || !strings.Contains(text, "reconciling") && strings.Contains(text, "latestReadyRevision")
	}
	d.Eventually("the service is ready", ready)
	// curl finds every name below localhost here, and so does whoever reads the documents.
	where := "http://hello.run.localhost" + d.Ingress[strings.LastIndexByte(d.Ingress, ':'):] + "/env"
	if code, text := runCurl(d, "-H", "Authorization: ", where); code != http.StatusOK || !strings.Contains(text, `"GREETING":"one"`) {
		t.Errorf("the service: %d\n%s", code, text)
	}
	d.Kill()
	d.Start()
	if code, text := runCurl(d, "-H", "Authorization: ", where); code != http.StatusOK || !strings.Contains(text, `"GREETING":"one"`) {
		t.Errorf("the service after the kill: %d\n%s", code, text)
	}
	if code, text := runCurl(d, "-X", "PATCH", base+"/hello?updateMask=template", "-d", body("two")); code != http.StatusOK {
		t.Fatalf("update: %d\n%s", code, text)
	}
	d.Eventually("the change is made", func() bool {
		_, text := runCurl(d, "-H", "Authorization: ", where)
		return strings.Contains(text, `"GREETING":"two"`)
	})
	if _, text := runCurl(d, base+"/hello/revisions"); strings.Count(text, `"uid"`) != 2 {
		t.Errorf("revisions: %s", text)
	}
	if code, text := runCurl(d, "-X", "POST", base+"/hello:setIamPolicy", "-d", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["allUsers"]}]}}`); code != http.StatusOK {
		t.Errorf("policy: %d\n%s", code, text)
	}
	if code, text := runCurl(d, "-X", "DELETE", base+"/hello"); code != http.StatusOK {
		t.Errorf("delete: %d\n%s", code, text)
	}
	d.Eventually("it is gone", func() bool {
		code, _ := runCurl(d, base+"/hello")
		return code == http.StatusNotFound
	})
}

// contract: CLI-10, REV-1
// The documented YAML, exported and replaced without a change, before and after
// a kill: nothing changes, and there is no new revision.
func TestServiceYAMLRoundTrip(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
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
        image: ` + h.Server() + `
        ports: [{name: http1, containerPort: 9000}]
        env: [{name: GREETING, value: hello}]
        resources: {limits: {cpu: 500m, memory: 256Mi}}
        volumeMounts: [{name: scratch, mountPath: /scratch}]
        livenessProbe: {httpGet: {path: /health}, periodSeconds: 20}
      - name: side
        image: ` + h.Server() + `
        env: [{name: SIDE_PORT, value: '9001'}]
        resources: {limits: {cpu: 500m, memory: 128Mi}}
        startupProbe: {tcpSocket: {port: 9001}, periodSeconds: 1, failureThreshold: 30}
      volumes:
      - name: scratch
        emptyDir: {medium: Memory, sizeLimit: 16Mi}
  traffic:
  - {latestRevision: true, percent: 100, tag: now}
`)
	d.CLI("services", "replace", file).Exits(0)
	d.Get("from-file", "/env").Is(h, 200, `"GREETING":"hello"`, `"PORT":"9000"`)
	first := d.CLI("services", "describe", "from-file", "--format", "export").Exits(0).Stdout
	for range 2 {
		write(first)
		d.CLI("services", "replace", file).Exits(0)
		if second := d.CLI("services", "describe", "from-file", "--format", "export").Exits(0).Stdout; second != first {
			t.Errorf("exported\n%sreplaced and exported again\n%s", first, second)
		}
		if got := d.CLI("services", "describe", "from-file", "--format", "value(metadata.generation)").Exits(0).Stdout; got != "1\n" {
			t.Errorf("generation %q, want 1: nothing was changed", got)
		}
		if got := d.CLI("revisions", "list", "--service", "from-file", "--format", "value(name)").Exits(0).Stdout; strings.Count(got, "\n") != 1 {
			t.Errorf("revisions\n%s", got)
		}
		d.Kill()
		d.Start()
	}
	d.Get("now---from-file", "/env").Is(h, 200, `"GREETING":"hello"`)
	write(strings.Replace(first, "value: hello", "value: again", 1))
	d.CLI("services", "replace", file).Exits(0)
	d.Get("from-file", "/env").Is(h, 200, `"GREETING":"again"`, "from-file-00002-")
}

// contract: CLI-4, CLI-7
// What the tables of services and revisions show.
func TestTablesOfServices(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.ServeRequests()
	d.Deploy("beta").Exits(0)
	d.Deploy("alpha").Exits(0)
	d.Deploy("alpha", "--set-env-vars", "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=8080,periodSeconds=1,failureThreshold=1").Exits(1)
	port := d.Ingress[strings.LastIndexByte(d.Ingress, ':'):]
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
	rows(d.CLI("services", "list").Exits(0).Stdout,
		` +SERVICE +REGION +URL +LAST DEPLOYED BY +LAST DEPLOYED AT`,
		`X +alpha +us-central1 +http://alpha\.run\.localhost`+port+when,
		`\S +beta +us-central1 +http://beta\.run\.localhost`+port+when)
	rows(d.CLI("revisions", "list", "--service", "alpha").Exits(0).Stdout,
		` +REVISION +ACTIVE +SERVICE +DEPLOYED +DEPLOYED BY`,
		`X +alpha-00002-\w{3} +alpha .*`,
		`\S +alpha-00001-\w{3} +yes +alpha .*`)
	d.Get("alpha", "/").Is(h, 200, "alpha-00001-")
}
