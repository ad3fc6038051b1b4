package api

import (
	"strings"
	"unicode"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// ValidateJob reports everything that keeps job from being run as it says, as
// FieldErrors, or nil. What is unset and has a default is fine; so is an empty
// name, which may still be given from elsewhere.
//
// Refused is what would silently not work on this host: several containers,
// volumes, secrets, probes, GPUs, the first-generation environment. Settings
// that have no meaning on one host and change nothing for the program
// (vpcAccess, encryptionKey, binaryAuthorization, launchStage, cpuIdle) are
// accepted.
func ValidateJob(job *runpb.Job) error {
	c := &checker{}
	c.name("name", job.GetName())
	c.labels("labels", job.GetLabels())
	c.annotations("annotations", job.GetAnnotations())
	c.executionTokens(job)
	if job.GetTemplate() == nil {
		c.add("template", "is missing: want the template of the job's executions")
		return c.errs.Err()
	}
	c.executionTemplate("template", job.GetTemplate())
	return c.errs.Err()
}

// name checks a job's name, short or as a full resource name.
func (c *checker) name(path, name string) {
	if name == "" {
		return
	}
	if strings.Contains(name, "/") {
		parts := strings.Split(name, "/")
		if len(parts) != 6 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != "jobs" ||
			parts[1] == "" || parts[3] == "" {
			c.add(path, "%q is not the name of a job: want projects/PROJECT/locations/REGION/jobs/NAME", name)
			return
		}
		name = parts[5]
	}
	c.check(path, contract.CheckJobName(name))
}

// maxTokenName bounds the name of an execution that a token names: the job's,
// a hyphen and the token make one DNS label.
// Source: run.v2 protos, start_execution_token.
const maxTokenName = 63

// executionTokens checks the token that names the next execution.
func (c *checker) executionTokens(job *runpb.Job) {
	path, token := "startExecutionToken", job.GetStartExecutionToken()
	if _, ok := job.GetCreateExecution().(*runpb.Job_RunExecutionToken); ok {
		path, token = "runExecutionToken", job.GetRunExecutionToken()
	}
	if job.GetCreateExecution() == nil {
		return
	}
	name := job.GetName()[strings.LastIndex(job.GetName(), "/")+1:]
	switch {
	case !isDNSLabel("a" + token):
		c.add(path, "%q cannot end an execution's name: want lower-case letters, digits and hyphens, not ending with a hyphen", token)
	case len(name)+len(token) >= maxTokenName:
		c.add(path, "has %d characters, and the job's name %d: want fewer than %d together", len(token), len(name), maxTokenName)
	}
}

// executionTemplate checks what every execution of the job is made from.
func (c *checker) executionTemplate(path string, t *runpb.ExecutionTemplate) {
	c.labels(path+".labels", t.GetLabels())
	c.annotations(path+".annotations", t.GetAnnotations())
	tasks := int64(t.GetTaskCount())
	if tasks == 0 {
		tasks = contract.DefaultTasks
	}
	if err := contract.CheckTasks(tasks); err != nil {
		c.check(path+".taskCount", err)
	} else {
		c.check(path+".parallelism", contract.CheckParallelism(int64(t.GetParallelism()), tasks))
	}
	if t.GetTemplate() == nil {
		c.add(path+".template", "is missing: want the template of the execution's tasks")
		return
	}
	c.taskTemplate(path+".template", t.GetTemplate())
}

// taskTemplate checks what every task is made from.
func (c *checker) taskTemplate(path string, t *runpb.TaskTemplate) {
	switch n := len(t.GetContainers()); n {
	case 1:
		c.container(index(path+".containers", 0), t.GetContainers()[0])
	case 0:
		c.add(path+".containers", "is empty: want one container")
	default:
		c.add(path+".containers", "lists %d containers: a task with more than one is not supported yet", n)
	}
	for i, v := range t.GetVolumes() {
		c.add(index(path+".volumes", i), "volume %q cannot be mounted: volumes are not supported yet", v.GetName())
	}
	if t.GetRetries() != nil {
		c.check(path+".maxRetries", contract.CheckRetries(int64(t.GetMaxRetries())))
	}
	if d := t.GetTimeout(); d != nil {
		if err := d.CheckValid(); err != nil {
			c.add(path+".timeout", "is not a duration: %v", err)
		} else {
			c.check(path+".timeout", contract.CheckTaskTimeout(d.AsDuration()))
		}
	}
	if t.GetExecutionEnvironment() == runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1 {
		c.add(path+".executionEnvironment", "gen1 is not possible: jobs always run in the second generation; want gen2, or leave it out")
	}
	c.serviceAccount(path+".serviceAccount", t.GetServiceAccount())
	if a := t.GetNodeSelector().GetAccelerator(); a != "" {
		c.add(path+".nodeSelector.accelerator", "%q is not offered: GPUs are not supported", a)
	}
}

// serviceAccount checks an account's address. It becomes a path of the
// metadata server, so it must not hold what would change the path.
func (c *checker) serviceAccount(path, email string) {
	if email == "" {
		return
	}
	user, domain, ok := strings.Cut(email, "@")
	if !ok || user == "" || domain == "" || len(email) > 254 || strings.ContainsFunc(email, func(r rune) bool {
		return r == '/' || r <= ' ' || r > unicode.MaxASCII || r == 0x7f
	}) {
		c.add(path, "%q is not a service account: want its email address", email)
	}
}
