package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"runnel/cmd/runnel/cli"
)

// Every mistake gets one clear line, exit status 2, and touches nothing.
// contract: JOB-1, JOB-2, JOB-4, JOB-6, CPU-2, CPU-3, MEM-4, ENV-9, CLI-13
func TestBadUsage(t *testing.T) {
	t.Parallel()
	big := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(big, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"run":                                   "runnel run: --image is missing: name an image, or a job file instead",
		"run --image x --tasks 0":               "runnel run: --tasks 0: want 1 to 10000",
		"run --image x --tasks 10001":           "runnel run: --tasks 10001: want 1 to 10000",
		"run --image x --tasks many":            "runnel run: --tasks many: want a whole number",
		"run --image x --tasks 1e99":            "runnel run: --tasks 1e99: want a whole number",
		"run --image x --tasks=-1":              "runnel run: --tasks -1: want 1 to 10000",
		"run --image x --parallelism 2":         "runnel run: --parallelism 2: want at most the number of tasks, 1",
		"run --image x --parallelism=-1":        "runnel run: --parallelism -1: want 0 (as many as fit) to the number of tasks",
		"run --image x --max-retries 11":        "runnel run: --max-retries 11: want 0 to 10",
		"run --image x --cpu 1.5":               "runnel run: --cpu 1.5: ",
		"run --image x --cpu fast":              "runnel run: --cpu fast: ",
		"run --image x --memory 1Ti":            "runnel run: --memory 1Ti: ",
		"run --image x --memory lots":           "runnel run: --memory lots: ",
		"run --image x --memory 8Gi":            "runnel run: --memory 8Gi: ",
		"run --image x --task-timeout 0":        "runnel run: --task-timeout 0: ",
		"run --image x --task-timeout x":        "runnel run: --task-timeout: \"x\" is not a duration",
		"run --image x --task-timeout 169h":     "runnel run: --task-timeout 169h: ",
		"run --image x --set-env-vars A":        "runnel run: --set-env-vars A: want NAME=VALUE",
		"run --image x --set-env-vars =1":       "runnel run: --set-env-vars =1: want NAME=VALUE",
		"run --image x --set-env-vars PORT=1":   "runnel run: --set-env-vars: ",
		"run --image x --project a/b":           "runnel run: --project \"a/b\": want visible ASCII characters without slashes",
		"run --image x --project-number abc":    "runnel run: --project-number \"abc\": want digits",
		"run --image x --region=":               "runnel run: --region \"\": want visible",
		"run --region a/b job.yaml":             "runnel run: --region \"a/b\": want visible",
		"run --image x --service-account root":  "runnel run: --service-account \"root\": want an email address",
		"run --image x --format yaml":           "runnel run: --format yaml: want text or json",
		"run --image x --task 3":                "runnel run: unknown flag --task; did you mean --tasks?",
		"run --image x --max-retires 3":         "runnel run: unknown flag --max-retires; did you mean --max-retries?",
		"run --image x --quantum-entanglements": "runnel run: unknown flag --quantum-entanglements; see runnel run --help",
		"run --image x --env A=1":               "runnel run: unknown flag --env; did you mean --set-env-vars?",
		"run --image /proc/self/exe":            "runnel run: --image /proc/self/exe: that is a file; write oci-archive:/proc/self/exe or docker-archive:/proc/self/exe",
		"run -q":                                "runnel run: unknown flag -q",
		"run --image":                           "runnel run: --image: a value is missing",
		"kf run-task etl -c":                    "runnel kf run-task: --command: a value is missing",
		"run --image x job.yaml":                "runnel run: --image: job.yaml describes the job already",
		"run --tasks 3 job.yaml":                "runnel run: --tasks: job.yaml describes the job already",
		"run a.yaml b.yaml":                     "runnel run: unexpected argument \"b.yaml\": want one job file",
		"run /no/such/job.yaml":                 "runnel run: /no/such/job.yaml: no such file or directory",
		"run " + big:                            "runnel run: " + big + ": is larger than 1 MiB, which no such file is",
		"run /":                                 "runnel run: /: is a directory",
		"rnu":                                   "runnel: unknown command \"rnu\"; did you mean run?",
		"frobnicate":                            "runnel: unknown command \"frobnicate\"; see runnel --help",
		"logs etl":                              "runnel: unknown command \"logs\"; did you mean runnel jobs logs or runnel kf logs or runnel services logs or runnel worker-pools logs?",
		"ps":                                    "runnel: unknown command \"ps\"; did you mean runnel jobs list or runnel revisions list or runnel schedules list or runnel services list or runnel worker-pools list?",
		"run deploy hello --image x":            "runnel run: unexpected argument \"deploy\"; did you mean runnel deploy?",
		"run deploy hello --image x --port 80":  "runnel run: unexpected argument \"deploy\"; did you mean runnel deploy?",
		"run services list":                     "runnel run: unexpected argument \"services\"; did you mean runnel services?",
		"execute etl --wait":                    "runnel: unknown command \"execute\"; did you mean runnel jobs execute?",
		"update-traffic hello --to-latest":      "runnel: unknown command \"update-traffic\"; did you mean runnel services update-traffic?",
		"schedule etl @daily":                   "runnel: unknown command \"schedule\"; did you mean runnel schedules or runnel jobs schedule?",
		"service list":                          "runnel: unknown command \"service\"; did you mean runnel services?",
		"schedules create etl":                  "runnel schedules: unknown command \"create\"; did you mean runnel jobs schedule?",
		"serve --port 80":                       "runnel serve: unknown flag --port; did you mean --api?",
		"doctor now":                            "runnel doctor: unexpected argument \"now\": this command takes none",
		"doctor --format xml":                   "runnel doctor: --format xml: want text or json",
		"version 2":                             "runnel version: unexpected argument \"2\": this command takes none",
	} {
		got := try(t, nil, env{}, strings.Fields(args)...)
		if got.code != 2 || !strings.HasPrefix(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 || got.stdout != "" {
			t.Errorf("runnel %s: exit %d\n%s%swant %s", args, got.code, got.stdout, got.stderr, want)
		}
	}
}

// Files are told about in their own words.
func TestBadJobFiles(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		"maxRetries: 1->maxRetry: 1":     "runnel run: standard input: spec.template.spec.template.spec.maxRetry",
		"maxRetries: 1->maxRetries: 11":  "runnel run: standard input: spec.template.spec.template.spec.maxRetries",
		"taskCount: 2->taskCount: 10001": "runnel run: standard input: spec.template.spec.taskCount",
		"kind: Job->kind: Pod":           "runnel run: standard input: ",
		"kind: Job->kind: [":             "runnel run: standard input: ",
		"image: busybox->name: main":     "runnel run: standard input: spec.template.spec.template.spec.containers[0].image",
	} {
		from, to, _ := strings.Cut(change, "->")
		got := try(t, nil, env{Env: cli.Env{Stdin: strings.NewReader(strings.Replace(jobFile, from, to, 1))}}, "run", "-")
		if got.code != 2 || !strings.HasPrefix(got.stderr, want) {
			t.Errorf("%s: exit %d, %swant %s", change, got.code, got.stderr, want)
		}
	}
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":              "sudo runnel run job.yaml",
		"--help":        "sudo runnel doctor",
		"run --help":    "--set-env-vars MODE=full",
		"doctor --help": "The exit status is 1 if anything is missing.",
	} {
		got := try(t, nil, env{}, strings.Fields(args)...)
		if got.code != 0 || !strings.Contains(got.stdout, want) || got.stderr != "" {
			t.Errorf("runnel %s: exit %d, stderr %q, stdout without %q", args, got.code, got.stderr, want)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"version":                  "runnel ",
		"completion bash":          "bash completion",
		"__complete run --format ": "text\njson\n",
	} {
		got := try(t, nil, env{}, strings.Split(args, " ")...)
		if got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("runnel %s: exit %d, %q", args, got.code, got.stdout)
		}
	}
}
