package logs

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"testing"

	rruntime "runnel/runtime"
)

// list asks for one page: its entries, and the token of the next one.
func (w *world) list(request map[string]any) (entries []Entry, next string) {
	w.t.Helper()
	code, body := w.post(request)
	if code != http.StatusOK {
		w.t.Fatalf("%v: %d %s", request, code, body)
	}
	var answer struct {
		Entries       []Entry
		NextPageToken string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		w.t.Fatal(err)
	}
	return answer.Entries, answer.NextPageToken
}

func (w *world) post(request map[string]any) (code int, body []byte) {
	w.t.Helper()
	text, err := json.Marshal(request)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.server.Client().Post(w.server.URL+ListPath, "application/json", bytes.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func local() []string { return []string{"projects/local"} }

// contract: LOG-12
func TestListByFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int {
		_, _ = io.WriteString(out, "plain\n{\"severity\":\"ERROR\",\"message\":\"bad\",\"code\":7}\n")
		return 0
	})
	etl, other := w.Job("etl", 1), w.Job("other", 1)
	x := w.run(etl)
	w.Ended(x)
	w.Ended(w.run(other))
	for filter, want := range map[string]int{
		"": 6,
		"resource.type = cloud_run_job \n AND resource.labels.job_name = etl \n AND resource.labels.location = us-central1 \n AND severity >= DEFAULT": 3,
		"severity>=ERROR AND resource.labels.job_name=etl":           1,
		"resource.labels.job_name=nosuch":                            0,
		"resource.labels.job_name=NO/SUCH":                           0,
		"resource.type=cloud_run_revision":                           0,
		"resource.type=* AND resource.labels.job_name=*":             6,
		`labels."run.googleapis.com/execution_name"=` + path.Base(x): 3,
		"jsonPayload.code=7":                                         2,
		"textPayload:plain":                                          2,
		"exit":                                                       2,
		`logName="projects/local/logs/run.googleapis.com%2Fstdout"`:  4,
		`timestamp>="2000-01-01T00:00:00Z"`:                          6,
		`timestamp<"2000-01-01T00:00:00Z"`:                           0,
	} {
		entries, next := w.list(map[string]any{"resourceNames": local(), "filter": filter, "orderBy": "timestamp desc"})
		if len(entries) != want || next != "" {
			t.Errorf("%s: %d entries, want %d", filter, len(entries), want)
		}
	}
	if entries, _ := w.list(map[string]any{"resourceNames": []string{"projects/elsewhere"}}); len(entries) != 0 {
		t.Errorf("another project has %d entries", len(entries))
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.play(func(_ rruntime.Spec, out io.Writer) int {
		for i := range 10 {
			_, _ = io.WriteString(out, strconv.Itoa(i)+"\n")
		}
		return 0
	})
	w.Ended(w.run(w.Job("etl", 5)))
	all, _ := w.list(map[string]any{"resourceNames": local(), "pageSize": 1000})
	_, token := w.list(map[string]any{"resourceNames": local(), "pageSize": 7})
	if code, body := w.post(map[string]any{"resourceNames": local(), "pageToken": token, "filter": "severity>=INFO"}); code != http.StatusBadRequest {
		t.Errorf("the token of another list: %d %s", code, body)
	}
	if len(all) != 55 {
		t.Fatalf("%d entries, want 55", len(all))
	}
	for _, order := range []string{"timestamp asc", "timestamp desc"} {
		var got []Entry
		for token := ""; ; {
			some, next := w.list(map[string]any{"resourceNames": local(), "pageSize": 7, "orderBy": order, "pageToken": token})
			if len(some) > 7 {
				t.Fatalf("a page of %d", len(some))
			}
			if got = append(got, some...); next == "" {
				break
			}
			token = next
		}
		if len(got) != len(all) {
			t.Fatalf("%s: %d entries, want %d", order, len(got), len(all))
		}
		for i := range got {
			want := all[i]
			if order == "timestamp desc" {
				want = all[len(all)-1-i]
			}
			if got[i].InsertID != want.InsertID {
				t.Fatalf("%s: entry %d is %s, want %s", order, i, got[i].InsertID, want.InsertID)
			}
		}
	}
}

func TestBadLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		request map[string]any
		want    string
	}{
		{map[string]any{}, "resourceNames"},
		{map[string]any{"resourceNames": []string{"organizations/1"}}, "organizations/1"},
		{map[string]any{"resourceNames": local(), "filter": "nosuch.field=1"}, "nosuch.field"},
		{map[string]any{"resourceNames": local(), "orderBy": "severity"}, "orderBy"},
		{map[string]any{"resourceNames": local(), "pageSize": -1}, "pageSize"},
		{map[string]any{"resourceNames": local(), "pageToken": "x"}, "pageToken"},
		{map[string]any{"resourceNames": local(), "nosuch": "x"}, "nosuch"},
	} {
		code, body := w.post(c.request)
		if code != http.StatusBadRequest || !strings.Contains(string(body), c.want) {
			t.Errorf("%v: %d %s, want 400 and %s", c.request, code, body, c.want)
		}
	}
}
