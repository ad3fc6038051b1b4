package v1

import (
	"strings"
	"testing"
)

func TestJSONIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	root, err := jsonTree([]byte("{\"metadata\": {\"name\": \"a\\u0062\\/\"},\n\t\"spec\": {\"template\": {\"spec\": {\"taskCount\": \"3\", \"template\": {\"spec\": {\"timeoutSeconds\": 5, \"maxRetries\": 0, \"containers\": [{\"args\": [\"\\ud83d\\ude00\", \"yes\", \"1\"]}]}}}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	var job Job
	if err := decode(root, &job, false); err != nil {
		t.Fatal(err)
	}
	spec := job.Spec.Template.Spec
	task := spec.Template.Spec
	if job.Metadata.Name != "ab/" || *spec.TaskCount != 3 || *task.TimeoutSeconds != 5 || *task.MaxRetries != 0 {
		t.Errorf("decoded %+v", job)
	}
	if args := strings.Join(task.Containers[0].Args, " "); args != "😀 yes 1" {
		t.Errorf("args = %s", args)
	}
}

func TestBadJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "{", "[1,", `{"a"}`, `{"a":}`, "{} {}", "{}x", `{"a":1,}`, "nul", `{"a":"b`,
		strings.Repeat("[", 60) + strings.Repeat("]", 60), strings.Repeat("[", 1000),
	} {
		if root, err := jsonTree([]byte(text)); err == nil {
			t.Errorf("%.20q is read as %v", text, root)
		}
	}
}

func TestRequestsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"overrides":{"taskCounts":1}}`:                      "overrides.taskCounts: unknown field; did you mean taskCount?",
		`{"overrides":{"taskCount":1.5}}`:                     "overrides.taskCount: is a number: want a whole number, without quotes",
		`{"overrides":{"taskCount":"x"}}`:                     "overrides.taskCount: x is not a whole number, or out of range",
		`{"overrides":{"containerOverrides":[{"args":[1]}]}}`: "overrides.containerOverrides[0].args[0]: is a number: want text, in quotes if it looks like something else",
		`{"overrides":{"taskCount":1,"taskCount":2}}`:         "overrides.taskCount: appears twice, first on line 1",
		`[]`: "is a list: want a mapping of names to values",
	} {
		root, err := jsonTree([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(root, &runRequest{}, false); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzJSONTree(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5,true,null,"x"],"b":{"c":"\ud83d\ude00"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := jsonTree(data)
		if err == nil {
			_ = decode(root, &Job{}, false)
		}
	})
}
