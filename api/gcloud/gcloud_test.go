package gcloud_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"runnel/api/gcloud"
	"runnel/control/controltest"
)

func TestTheEnvironmentSendsGcloudHere(t *testing.T) {
	t.Parallel()
	got := gcloud.Environment("http://localhost:8787/", "/var/lib/runnel/api-token", "local", "us-central1")
	want := []string{
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=http://localhost:8787/",
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING=http://localhost:8787/",
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDSCHEDULER=http://localhost:8787/",
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER=http://localhost:8787/gcloud/cloudresourcemanager/",
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE=http://localhost:8787/gcloud/serviceusage/",
		"CLOUDSDK_CORE_PROJECT=local",
		"CLOUDSDK_RUN_REGION=us-central1",
		"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=/var/lib/runnel/api-token",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Environment =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	got = gcloud.Environment("http://localhost:8787", "", "local", "us-central1")
	if last := got[len(got)-1]; last != "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true" {
		t.Errorf("without a token the last is %s", last)
	}
}

func TestSideQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	handler := gcloud.NewHandler(controltest.New(t).Control)
	const n = controltest.ProjectNumber
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"cloudresourcemanager/v1/projects/local", 200, `{"projectNumber":"` + n + `","projectId":"local","name":"local","lifecycleState":"ACTIVE"}`},
		{"cloudresourcemanager/v1/projects/" + n + "?alt=json", 200, `{"projectNumber":"` + n + `","projectId":"local","name":"local","lifecycleState":"ACTIVE"}`},
		{"serviceusage/v1/projects/local/services/run.googleapis.com", 200,
			`{"name":"projects/` + n + `/services/run.googleapis.com","parent":"projects/` + n + `","config":{"name":"run.googleapis.com"},"state":"ENABLED"}`},
		{"serviceusage/v1/projects/local/services:batchGet?names=projects/local/services/run.googleapis.com&names=projects/local/services/sqladmin.googleapis.com", 200,
			`{"services":[{"name":"projects/` + n + `/services/run.googleapis.com","parent":"projects/` + n + `","config":{"name":"run.googleapis.com"},"state":"ENABLED"},` +
				`{"name":"projects/` + n + `/services/sqladmin.googleapis.com","parent":"projects/` + n + `","config":{"name":"sqladmin.googleapis.com"},"state":"DISABLED"}]}`},
		{"serviceusage/v1/projects/local/services:batchGet?" + strings.Repeat("names=a&", 31), 400, ""},
		{"compute/v1/projects/local/zones", 404, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+gcloud.Path+tt.path, nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != tt.code || tt.want != "" && strings.TrimSpace(w.Body.String()) != tt.want {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: no JSON: %s", tt.path, w.Body)
		}
	}
}
