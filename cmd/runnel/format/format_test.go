package format

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// row is a resource with what resources have.
func row(t *testing.T, text string) Row {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return Row{Resource: v, Attributes: map[string]any{"region": "us-central1", "name": "attribute"}}
}

const resource = `{
  "metadata": {"name": "etl-abcde", "creationTimestamp": "2026-11-21T10:00:00.123456Z",
    "labels": {"run.googleapis.com/job": "etl", "team": "data"}},
  "spec": {"taskCount": 5, "args": ["-c", "echo <hi>"], "timeout": "600", "on": "yes", "text": "two\nlines"},
  "status": {"conditions": [{"type": "Completed", "status": "True"}, {"type": "Started", "status": "False"}]}
}`

// contract: CLI-10
func TestProjections(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"value(metadata.name)":                                     "etl-abcde\n",
		"value(metadata.name,spec.taskCount)":                      "etl-abcde\t5\n",
		"value[separator=' ']( metadata.name , spec.taskCount )":   "etl-abcde 5\n",
		`value(metadata.labels."run.googleapis.com/job")`:          "etl\n",
		`value(metadata.labels['run.googleapis.com/job'])`:         "etl\n",
		"value(status.conditions[0].type)":                         "Completed\n",
		"value(status.conditions[-1].type)":                        "Started\n",
		"value(status.conditions[].type)":                          "Completed;Started\n",
		"value(status.conditions.type.join('+'))":                  "Completed+Started\n",
		"value(status.conditions.len())":                           "2\n",
		"value(status.conditions[9].type)":                         "\n",
		"value(no.such.thing)":                                     "\n",
		"value(region,name)":                                       "us-central1\tattribute\n",
		"value(metadata.creationTimestamp.date('%Y-%m-%d %H:%M'))": "2026-11-21 10:00\n",
		"value(metadata.labels)":                                   "run.googleapis.com/job=etl;team=data\n",
		"csv(metadata.name,spec.taskCount)":                        "name,task_count\netl-abcde,5\n",
		"csv[no-heading](metadata.name)":                           "etl-abcde\n",
		"table(metadata.name,spec.taskCount:label=TASKS)":          "NAME       TASKS\netl-abcde  5\n",
		"table[box](spec.taskCount)":                               "TASK_COUNT\n5\n",
		"value(status.failedCount.yesno(no=0))":                    "0\n",
		"none":                                                     "",
	} {
		f, err := Parse(format)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		got, err := f.List([]Row{row(t, resource)})
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", format, got, err, want)
		}
	}
}

func TestBadFormats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"xml", "value", "value(", "value(a", "value(a.b()", "value(a.nosuch())", "json(a)", "table[x](a)", "value(a[b])", "value()", "csv[no-heading"} {
		if f, err := Parse(format); err == nil {
			t.Errorf("%s is accepted: %+v", format, f)
		}
	}
}

// contract: CLI-10
func TestJSONAndYAML(t *testing.T) {
	t.Parallel()
	r := row(t, resource)
	const yaml = `metadata:
  creationTimestamp: '2026-11-21T10:00:00.123456Z'
  labels:
    run.googleapis.com/job: etl
    team: data
  name: etl-abcde
spec:
  args:
  - -c
  - echo <hi>
  'on': 'yes'
  taskCount: 5
  text: |-
    two
    lines
  timeout: '600'
status:
  conditions:
  - status: 'True'
    type: Completed
  - status: 'False'
    type: Started
`
	for format, want := range map[string]string{"yaml": yaml, "export": yaml, "json": "{\n  \"metadata\": {\n"} {
		f, err := Parse(format)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.One(r)
		if err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %v\n%s", format, err, got)
		}
	}
	list, err := (Format{Kind: JSON}).List(nil)
	if err != nil || string(list) != "[]\n" {
		t.Errorf("no rows: %q, %v", list, err)
	}
	one, err := (Format{Kind: JSON}).One(r)
	if err != nil || !strings.Contains(string(one), "echo <hi>") {
		t.Errorf("JSON escapes what it need not: %s, %v", one, err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	r := row(t, resource)
	for filter, want := range map[string]bool{
		"":                               true,
		"metadata.name=etl-abcde":        true,
		"metadata.name!=etl-abcde":       false,
		"metadata.name:etl*":             true,
		"metadata.name:abc":              true,
		"metadata.name~^etl":             true,
		"metadata.name!~^etl":            false,
		"metadata.name=(a OR etl-abcde)": true,
		"metadata.name:(x abc)":          true,
		"spec.taskCount>4":               true,
		"spec.taskCount>=10":             false,
		"spec.taskCount=5.0":             true,
		"NOT spec.taskCount=5":           false,
		"-spec.taskCount=5":              false,
		"region=us-central1 AND (spec.taskCount<3 OR metadata.labels.team=data)": true,
		"region=us-central1 spec.taskCount=6":                                    false,
		"metadata.creationTimestamp>2026-01-01T10:00:00Z":                        true,
		`metadata.creationTimestamp<"2026-01-01"`:                                false,
		"status.conditions.type=Started":                                         true,
		"metadata.labels:team":                                                   true,
		"no.such.key:*":                                                          false,
		"no.such.key=x":                                                          false,
	} {
		f, err := ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f(r); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
	for _, filter := range []string{"name", "name=", "(name=a", "name=a)", "name~(", "=a", "name=a OR", "NOT", "a=(b", `a="b`, `a="`, `a=("b"c)`} {
		if _, err := ParseFilter(filter); err == nil {
			t.Errorf("%s is accepted", filter)
		}
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	for by, want := range map[string]string{
		"n":        "2 3 10 -",
		"~n":       "10 3 2 -",
		"group,~n": "10 2 3 -",
		"":         "10 2 3 -",
	} {
		rows := []Row{
			row(t, `{"n": 10, "group": "a"}`), row(t, `{"n": 2, "group": "a"}`),
			row(t, `{"n": 3, "group": "b"}`), row(t, `{"n": null}`),
		}
		if err := Sort(rows, by); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			s := text(r.Resource.(map[string]any)["n"])
			if s == "" {
				s = "-"
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", by, got, want)
		}
	}
	if err := Sort(nil, "a["); err == nil {
		t.Error("a bad key is accepted")
	}
}

func TestColumnsIgnoreEscapes(t *testing.T) {
	t.Parallel()
	got := string(Columns([]string{"", "JOB", "X"}, [][]string{{"\x1b[32m✔\x1b[0m", "etl", ""}, {"X", "longer", "1"}}))
	want := "   JOB     X\n\x1b[32m✔\x1b[0m  etl\nX  longer  1\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}
