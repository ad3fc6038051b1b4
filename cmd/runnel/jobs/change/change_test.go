package change

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// flags parses arguments.
func flags(t *testing.T, args ...string) *Flags {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// existing is a job with three variables and everything else set.
func existing() *runpb.Job {
	return &runpb.Job{
		Name: "projects/p/locations/l/jobs/etl", Etag: `"x"`, Labels: map[string]string{"team": "data", "stage": "dev"},
		Template: &runpb.ExecutionTemplate{
			TaskCount: 7, Parallelism: 3, Labels: map[string]string{"team": "data"},
			Template: &runpb.TaskTemplate{
				Retries:        &runpb.TaskTemplate_MaxRetries{MaxRetries: 0},
				ServiceAccount: "a@b.c",
				Containers: []*runpb.Container{{
					Image: "busybox", Command: []string{"sh"}, Args: []string{"-c", "true"},
					Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "2", "memory": "1Gi"}},
					Env:       []*runpb.EnvVar{variable("A", "1"), variable("B", "2"), variable("C", "3")},
				}},
			},
		},
	}
}

func variable(name, value string) *runpb.EnvVar {
	return &runpb.EnvVar{Name: name, Values: &runpb.EnvVar_Value{Value: value}}
}

// env is the environment of a job's container as text.
func env(job *runpb.Job) string {
	var all []string
	for _, v := range job.GetTemplate().GetTemplate().GetContainers()[0].GetEnv() {
		all = append(all, v.GetName()+"="+v.GetValue())
	}
	return strings.Join(all, " ")
}

// contract: CLI-11
func TestEnvironmentFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	yaml := write("vars.yaml", "X: \"1\"\nA: new\n")
	dot := write("vars.env", "# comment\nexport X=1 # more\nA=\"two\\nlines\"\nB='$ # raw'\n\nEMPTY=\n")
	for args, want := range map[string]string{
		"":                       "A=1 B=2 C=3",
		"--set-env-vars A=9,D=4": "A=9 D=4",
		"--set-env-vars=":        "",
		"--set-env-vars A=1 --set-env-vars B=x=y":   "A=1 B=x=y",
		"--set-env-vars ^:^A=1,2:B=3":               "A=1,2 B=3",
		"--update-env-vars B=9,D=4":                 "A=1 B=9 C=3 D=4",
		"--update-env-vars B=":                      "A=1 B= C=3",
		"--update-env-vars A=1,A=2":                 "A=2 B=2 C=3",
		"--remove-env-vars B":                       "A=1 C=3",
		"--remove-env-vars B,nosuch,A":              "C=3",
		"--remove-env-vars A,B,C":                   "",
		"--update-env-vars B=9 --remove-env-vars A": "B=9 C=3",
		"--update-env-vars A=9 --remove-env-vars A": "B=2 C=3 A=9",
		"--clear-env-vars":                          "",
		"--env-vars-file " + yaml:                   "X=1 A=new",
		"--env-vars-file " + dot:                    "X=1 A=two\nlines B=$ # raw EMPTY=",
	} {
		f := flags(t, strings.Fields(args)...)
		job := existing()
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if err := f.Apply(job); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if got := env(job); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// contract: CLI-11
func TestLabelFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--labels stage=prod,x=":                "map[stage:prod team:data x:]",
		"--update-labels stage=prod":            "map[stage:prod team:data]",
		"--remove-labels stage,nosuch":          "map[team:data]",
		"--clear-labels":                        "map[]",
		"--clear-labels --update-labels a=b":    "map[a:b]",
		"--remove-labels team --labels a=b":     "map[a:b stage:dev]",
		"--remove-labels team,stage":            "map[]",
		"--update-labels a=b --remove-labels a": "map[a:b stage:dev team:data]",
	} {
		f := flags(t, strings.Fields(args)...)
		job := existing()
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if err := f.Apply(job); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if got := sprint(job.GetLabels()); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
		delete(job.Labels, "stage") // which the template does not have
		if got := sprint(job.GetTemplate().GetLabels()); !strings.Contains(args, "stage=") && got != sprint(job.GetLabels()) {
			t.Errorf("%s: the template has %s", args, got)
		}
	}
}

// sprint writes a map in the order of its keys.
func sprint(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+":"+m[k])
	}
	return "map[" + strings.Join(parts, " ") + "]"
}

// What no flag names stays.
// contract: JOB-27
func TestOneFlagChangesOneThing(t *testing.T) {
	t.Parallel()
	for args, change := range map[string]func(*runpb.Job){
		"--tasks 9":          func(j *runpb.Job) { j.Template.TaskCount = 9 },
		"--parallelism 0":    func(j *runpb.Job) { j.Template.Parallelism = 0 },
		"--max-retries 4":    func(j *runpb.Job) { j.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 4} },
		"--image alpine":     func(j *runpb.Job) { j.Template.Template.Containers[0].Image = "alpine" },
		"--command=":         func(j *runpb.Job) { j.Template.Template.Containers[0].Command = nil },
		"--command a,b":      func(j *runpb.Job) { j.Template.Template.Containers[0].Command = []string{"a", "b"} },
		"--args=-x":          func(j *runpb.Job) { j.Template.Template.Containers[0].Args = []string{"-x"} },
		"--cpu 4":            func(j *runpb.Job) { j.Template.Template.Containers[0].Resources.Limits["cpu"] = "4" },
		"--memory 2Gi":       func(j *runpb.Job) { j.Template.Template.Containers[0].Resources.Limits["memory"] = "2Gi" },
		"--service-account=": func(j *runpb.Job) { j.Template.Template.ServiceAccount = "" },
	} {
		job, want := existing(), existing()
		change(want)
		f := flags(t, strings.Fields(args)...)
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if err := f.Apply(job); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if !proto.Equal(job, want) {
			t.Errorf("%s: got %v\nwant %v", args, job, want)
		}
	}
}

// contract: CLI-13, JOB-4
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for text, seconds := range map[string]int64{"10": 10, "10m5s": 605, "168h": 168 * 3600, "1s": 1} {
		job := existing()
		f := flags(t, "--task-timeout", text)
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := f.Apply(job); err != nil || job.Template.Template.Timeout.GetSeconds() != seconds {
			t.Errorf("%s: %v, %v", text, job.Template.Template.Timeout, err)
		}
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := map[string]string{"number.yaml": "A: 1\n", "list.yaml": "- a\n", "open.env": "A=\"x\n", "word.env": "A\n", "tab.yaml": "A: \"x\n"}
	for name, text := range bad {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"--set-env-vars A=1 --update-env-vars B=1": "--set-env-vars: cannot stand beside --update-env-vars",
		"--set-env-vars A=1 --clear-env-vars":      "--set-env-vars: cannot stand beside --clear-env-vars",
		"--clear-env-vars --remove-env-vars A":     "--clear-env-vars: cannot stand beside --remove-env-vars",
		"--env-vars-file x --set-env-vars A=1":     "--set-env-vars: cannot stand beside --env-vars-file",
		"--update-env-vars A":                      "--update-env-vars A: want NAME=VALUE",
		"--remove-env-vars A=1":                    "--remove-env-vars A=1: want names alone",
		"--labels a=b --update-labels c=d":         "--labels: cannot stand beside --update-labels",
		"--clear-labels --remove-labels a":         "--clear-labels: cannot stand beside --remove-labels",
		"--tasks 0":                                "--tasks 0: want 1 to 10000",
		"--tasks 10001":                            "--tasks 10001: want 1 to 10000",
		"--max-retries 11":                         "--max-retries 11: want 0 to 10",
		"--parallelism=-1":                         "--parallelism -1: want 0",
		"--task-timeout 0":                         "--task-timeout 0: ",
		"--task-timeout 169h":                      "--task-timeout 169h: ",
		"--task-timeout soon":                      "--task-timeout: \"soon\" is not a duration",
		"--image=":                                 "--image: want an image",
		"--container a --container b":              "--container b: several containers are not supported yet",
		"--container a":                            "--container a: the job has no container of that name",
		"--env-vars-file " + dir + "/none":         "--env-vars-file: " + dir + "/none: no such file or directory",
		"--env-vars-file " + dir + "/number.yaml":  "--env-vars-file: " + dir + "/number.yaml: line 1: the value of A is no string",
		"--env-vars-file " + dir + "/list.yaml":    "--env-vars-file: " + dir + "/list.yaml: line 1: want NAME",
		"--env-vars-file " + dir + "/open.env":     "--env-vars-file: " + dir + "/open.env: line 1: the quotes of A do not end",
		"--env-vars-file " + dir + "/word.env":     "--env-vars-file: " + dir + "/word.env: line 1: want NAME=VALUE",
		"--env-vars-file " + dir + "/tab.yaml":     "--env-vars-file: " + dir + "/tab.yaml: yaml: ",
		"--env-vars-file -":                        "--env-vars-file -: want the name of a file",
	} {
		f := flags(t, strings.Fields(args)...)
		err := f.Check()
		if err == nil {
			err = f.Apply(existing())
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", args, err, want)
		}
	}
}

func TestFieldsAreNamedAsFlags(t *testing.T) {
	t.Parallel()
	f := flags(t, "--cpu", "1.5", "--update-env-vars", "PORT=1", "--labels", "A=b")
	for path, want := range map[string]string{
		`job.template.template.containers[0].resources.limits["cpu"]`: "--cpu 1.5",
		`template.template.containers[0].resources.limits["memory"]`:  `template.template.containers[0].resources.limits["memory"]`,
		`template.template.containers[0].env[0].name`:                 "--update-env-vars",
		`labels["A"]`:        "--labels",
		"template.taskCount": "template.taskCount",
	} {
		if got := f.FlagOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// contract: JOB-11
func TestOverrides(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                     "",
		"--args=-c,date":                       `container_overrides:{args:"-c" args:"date"}`,
		"--args=":                              `container_overrides:{clear_args:true}`,
		"--update-env-vars A=1":                `container_overrides:{env:{name:"A" value:"1"}}`,
		"--tasks 2":                            `task_count:2`,
		"--task-timeout 1m":                    `timeout:{seconds:60}`,
		"--container c --args x":               `container_overrides:{name:"c" args:"x"}`,
		"--tasks 0":                            "error --tasks 0: want 1 to 10000",
		"--task-timeout 0":                     "error --task-timeout 0",
		"--update-env-vars A":                  "error --update-env-vars A: want NAME=VALUE",
		"--container c":                        "error --container c: say what is different",
		"--container c --container d --args x": "error --container d: several",
	} {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		o := RegisterOverrides(set)
		if err := set.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		request, err := o.Request()
		if text, bad := strings.CutPrefix(want, "error "); bad {
			if err == nil || !strings.HasPrefix(err.Error(), text) {
				t.Errorf("%s: %v, want %s", args, err, text)
			}
			continue
		}
		wanted := &runpb.RunJobRequest_Overrides{}
		if want == "" {
			wanted = nil
		} else if err := prototext.Unmarshal([]byte(want), wanted); err != nil {
			t.Fatal(err)
		}
		if err != nil || !proto.Equal(request, wanted) || (request == nil) != (wanted == nil) {
			t.Errorf("%s: %v, %v; want %s", args, request, err, want)
		}
	}
}
