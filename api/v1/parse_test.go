package v1_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	"runnel/api"
	v1 "runnel/api/v1"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// contract: JOB-28 ENV-8 IMG-12
func TestFilesConvertBothWays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"exported", "handwritten"} {
		job, err := v1.ParseJob(read(t, name+".yaml"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want runpb.Job
		if err := protojson.Unmarshal(read(t, name+".golden.json"), &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !proto.Equal(job, &want) {
			t.Errorf("%s reads as\n%v\nwant\n%v", name, protojson.Format(job), protojson.Format(&want))
		}
		if err := errors.Join(api.ValidateJob(job), v1.ValidateJob(job)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := yaml.Marshal(v1.FormatJob(job, v1.Options{Export: true}))
		if err != nil || !bytes.Equal(text, read(t, name+".golden.yaml")) {
			t.Errorf("%s is written as\n%s\n%v", name, text, err)
		}
		again, err := v1.ParseJob(text)
		if err != nil || !proto.Equal(again, job) {
			t.Errorf("%s, written and read, is\n%v\n%v", name, protojson.Format(again), err)
		}
	}
}

// job returns a file whose task spec holds the given lines, indented by four.
func job(lines ...string) string {
	return strings.Join(append([]string{
		"apiVersion: run.googleapis.com/v1", "kind: Job", "metadata: {name: j}",
		"spec: {template: {spec: {template: {spec: {",
	}, append(lines, "}}}}}")...), "\n")
}

const task = "spec.template.spec.template.spec."

func TestBadFilesAreRefusedWithPathAndLine(t *testing.T) {
	t.Parallel()
	const image = "containers: [{image: x}]"
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 7 {
		c := string(rune('a' + i))
		bomb += string(rune('b'+i)) + ": &" + string(rune('b'+i)) + " [" + strings.TrimSuffix(strings.Repeat("*"+c+",", 10), ",") + "]\n"
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "", "the file is empty: want a Job"},
		{"only separators", "---\n---\n# nothing\n", "the file is empty"},
		{"text", "hello", "found text: want a Job"},
		{"list", "- a", "found a list: want a Job"},
		{"tab", "apiVersion: run.googleapis.com/v1\nkind: Job\n\tmetadata: {}", "not valid YAML: line 3: begins with a tab: want spaces"},
		{"unclosed", "kind: Job\na: [1, 2\nb: c", "not valid YAML: line 2: did not find expected ',' or ']'"},
		{"indentation", "kind: Job\nmetadata:\n    name: x\n  labels: y", "not valid YAML: line 4: did not find expected key"},
		{"two colons", "kind: Job\nmetadata: a: b", "not valid YAML: line 2: mapping values are not allowed"},
		{"unknown anchor", "a: *b", "not valid YAML: unknown anchor 'b' referenced"},
		{"zero byte", "a: \"\x00\"", "not valid YAML: "},
		{"not UTF-8", "a: \xff", "not valid YAML: "},
		{"too large", "# " + strings.Repeat("x", 1<<20), "larger than the limit (1048576)"},
		{"two jobs", job(image) + "\n---\n" + job(image), "line 8 begins a second document: want exactly one Job in a file"},

		{"no kind", "apiVersion: run.googleapis.com/v1", "kind: is missing: want Job"},
		{"no version", "kind: Job", "apiVersion: is missing: want run.googleapis.com/v1"},
		{"batch job", "apiVersion: batch/v1\nkind: Job", `apiVersion: "batch/v1" is not accepted: want run.googleapis.com/v1`},
		{"service", "apiVersion: serving.knative.dev/v1\nkind: Service", "kind: Service is not accepted here: want Job"},
		{"worker pool", "apiVersion: run.googleapis.com/v1\nkind: WorkerPool", "kind: WorkerPool is not accepted here: want Job"},
		{"lower case", "apiVersion: run.googleapis.com/v1\nkind: job", `kind: "job" is not accepted: want Job`},
		{"kind that is a list", "apiVersion: run.googleapis.com/v1\nkind: [Job]", "kind: is missing"},

		{"misspelt", job("maxRetry: 3,", image), task + "maxRetry: unknown field; did you mean maxRetries? (line 5)"},
		{"case", job("maxretries: 3,", image), task + "maxretries: unknown field; did you mean maxRetries? (line 5)"},
		{"unlike anything", job("foo: 3,", image), task + "foo: unknown field (line 5)"},
		{"short and unlike anything", job("containers: [{image: x, foo: 1}]"), task + "containers[0].foo: unknown field (line 5)"},
		{"in a list", job("containers: [", "  {image: x},", "  {imag: y}]"), task + "containers[1].imag: unknown field; did you mean image? (line 7)"},
		{"at the top", "apiVersion: run.googleapis.com/v1\nkind: Job\nmeta: {}", "meta: unknown field (line 3)"},
		{"twice", job("maxRetries: 3,", "maxRetries: 4,", image), task + "maxRetries: appears twice, first on line 5 (line 6)"},
		{"text for a number", job("maxRetries: '3',", image), task + "maxRetries: is text: want a whole number, without quotes (line 5)"},
		{"fraction", job("maxRetries: 1.5,", image), task + "maxRetries: is a number: want a whole number, without quotes (line 5)"},
		{"out of range", job("maxRetries: 3000000000,", image), task + "maxRetries: 3000000000 is not a whole number, or out of range (line 5)"},
		{"number for text", job("serviceAccountName: 5,", image), task + "serviceAccountName: is a number: want text, in quotes if it looks like something else (line 5)"},
		{"number in a variable", job("containers: [{image: x, env: [{name: A, value: 1}]}]"), task + "containers[0].env[0].value: is a number: want text"},
		{"truth in arguments", job("containers: [{image: x, args: [a, true]}]"), task + "containers[0].args[1]: is true or false: want text"},
		{"nothing in arguments", job("containers: [{image: x, args: [a, ~]}]"), task + "containers[0].args[1]: has no value"},
		{"mapping for a list", job("containers: {image: x}"), task + "containers: is a mapping: want a list (line 5)"},
		{"list for text", job("serviceAccountName: [a],", image), task + "serviceAccountName: is a list: want text"},
		{"text for a mapping", job("containers: [x]"), task + "containers[0]: is text: want a mapping of names to values (line 5)"},
		{"truth for an amount", job("containers: [{image: x, resources: {limits: {cpu: true}}}]"), task + `containers[0].resources.limits["cpu"]: is true or false: want an amount such as 1 or 512Mi`},
		{"limit without a value", job("containers: [{image: x, resources: {limits: {cpu: }}}]"), task + `containers[0].resources.limits["cpu"]: has no value`},
		{"minutes", job("timeoutSeconds: 10m,", image), task + `timeoutSeconds: "10m" is not a number of seconds: want a whole number such as 600 (line 5)`},
		{"truth for seconds", job("timeoutSeconds: true,", image), task + "timeoutSeconds: is true or false: want a whole number of seconds"},
		{"binary", job("serviceAccountName: !!binary aGk=,", image), task + `serviceAccountName: is something tagged "!!binary": want text`},
		{"key that is a number", job("1: 2,", image), "spec.template.spec.template.spec: has a key that is a number: want text (line 5)"},
		{"key that is a list", "apiVersion: run.googleapis.com/v1\nkind: Job\n? [a]\n: b", "has a key that is a list: want text (line 3)"},
		{"merge", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: &m {name: j}\nspec:\n  <<: *m", "spec: merges another mapping: want its fields written out (line 5)"},

		{"zero tasks", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {taskCount: 0}}}", "spec.template.spec.taskCount: 0 tasks are not possible: want 1 to 10000"},
		{"no name", "apiVersion: run.googleapis.com/v1\nkind: Job", "metadata.name: is missing"},
		{"full name", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: projects/p/locations/l/jobs/j}", "metadata.name: holds a slash"},
		{"generated name", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {generateName: j-}", "metadata.generateName: cannot be completed here: want metadata.name"},
		{"both tokens", "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j}\nspec: {startExecutionToken: a, runExecutionToken: b}", "spec.runExecutionToken: cannot be set together"},
		{"volumes", job("volumes: [{name: v, emptyDir: {}}],", image), task + "volumes: is not supported: volumes are not supported yet (line 5)"},
		{"secret", job("containers: [{image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: latest}}}]}]"), task + "containers[0].env[0].valueFrom: is not supported: secrets are not supported yet; want value"},
		{"port", job("containers: [{image: x, ports: [{containerPort: 8080}]}]"), task + "containers[0].ports: is not supported: a job serves no requests"},
		{"selector", job("nodeSelector: {zone: a},", image), task + `nodeSelector["zone"]: is not a selector of Cloud Run`},

		{"bomb", "apiVersion: run.googleapis.com/v1\nkind: Job\n" + bomb + "metadata: {name: j}", "unknown field"},
		{"bomb in a list of text", job("containers: [{args: &a [x,x,x,x,x,x,x,x,x]},", strings.Repeat("{args: *a},", 20_000), "]"), "larger than the limit: " + task + "containers["},
		{"anchor that contains itself", job("containers: &c [{args: *c}]"), task + "containers[0].args[0]: is a mapping: want text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job, err := v1.ParseJob([]byte(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseJob = %v, %v\nwant %q", job, err, tt.want)
			}
			if err != nil && len(err.Error()) > 10_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := v1.ParseJob([]byte(job("maxRetry: 3,", "timeoutSeconds: x,", "containers: [{imag: y}]")))
	var fields api.FieldErrors
	if !errors.As(err, &fields) || len(fields) != 3 {
		t.Fatalf("ParseJob = %v, want three problems", err)
	}
	for i, want := range []string{task + "maxRetry", task + "timeoutSeconds", task + "containers[0].imag"} {
		if fields[i].Path != want {
			t.Errorf("problem %d is at %q, want %q", i, fields[i].Path, want)
		}
	}
	_, err = v1.ParseJob([]byte(job("containers: [" + strings.Repeat("{x: y},", 1000) + "]")))
	if !errors.As(err, &fields) || len(fields) != 51 || !strings.Contains(err.Error(), "only the first 50 problems are listed") {
		t.Errorf("1,000 problems give %d lines", len(fields))
	}
}

func TestSyntaxAndSizeCanBeTold(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]error{
		"a: [": v1.ErrSyntax, "#" + strings.Repeat(" ", 1<<20): v1.ErrTooLarge,
		job("containers: [{args: &a [" + strings.Repeat("x,", 1000) + "]}," + strings.Repeat("{args: *a},", 1000) + "]"): v1.ErrTooLarge,
	} {
		if _, err := v1.ParseJob([]byte(file)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", file, err, want)
		}
	}
}

func TestAliasesWork(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseJob([]byte(job("containers: [{image: &i busybox, args: &a [x, *i], command: *a}]")))
	if err != nil {
		t.Fatal(err)
	}
	c := got.Template.Template.Containers[0]
	if strings.Join(c.Args, " ") != "x busybox" || strings.Join(c.Command, " ") != "x busybox" {
		t.Errorf("container = %v", c)
	}
}

func TestJSONIsReadToo(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseJob([]byte(`{"apiVersion":"run.googleapis.com/v1","kind":"Job","metadata":{"name":"j"},
		"spec":{"template":{"spec":{"template":{"spec":{"timeoutSeconds":"5","containers":[{"image":"x"}]}}}}}}`))
	if err != nil || got.Template.Template.Timeout.AsDuration() != 5*time.Second {
		t.Errorf("ParseJob = %v, %v", got, err)
	}
}

func TestFieldsWithoutAValueAreNotThere(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseJob([]byte(job("maxRetries: ,", "volumes: [],", "timeoutSeconds: null,", "containers: [{image: x, env: , resources: }]")))
	if err != nil {
		t.Fatal(err)
	}
	if task := got.Template.Template; task.Retries != nil || task.Timeout != nil || task.Containers[0].Resources != nil {
		t.Errorf("ParseJob = %v", got)
	}
}

func FuzzParseJob(f *testing.F) {
	for _, name := range []string{"exported.yaml", "exported.golden.yaml", "handwritten.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(job("containers: &c [{args: *c}]")))
	f.Add([]byte(job("containers: [{image: !!str 5, resources: {limits: {cpu: 0x1}}}], timeoutSeconds: 0o17, maxRetries: 1_0")))
	f.Fuzz(func(t *testing.T, data []byte) {
		job, err := v1.ParseJob(data)
		if err != nil {
			if job != nil {
				t.Errorf("a job and %v", err)
			}
			return
		}
		if v1.ValidateJob(job) != nil {
			return // what the values mean was not checked yet
		}
		text, err := yaml.Marshal(v1.FormatJob(job, v1.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := v1.ParseJob(text)
		if err != nil {
			t.Fatalf("%v in what FormatJob wrote:\n%s", err, text)
		}
		if !proto.Equal(job, again) {
			t.Fatalf("written and read:\n%v\nwas\n%v", again, job)
		}
		if twice, err := yaml.Marshal(v1.FormatJob(again, v1.Options{})); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("written twice:\n%s\nwas\n%s\n%v", twice, text, err)
		}
	})
}
