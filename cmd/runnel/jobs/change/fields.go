package change

import (
	"fmt"
	"strings"
)

// FlagOf is how a field of a job is named on the command line, with the value
// that was given; it is path where no flag that was given stands for the field.
func (f *Flags) FlagOf(path string) string {
	const container = "template.template.containers[0]."
	path = strings.TrimPrefix(path, "job.")
	for _, field := range []struct{ path, flag, value string }{
		{"template.taskCount", "tasks", fmt.Sprint(f.tasks)},
		{"template.parallelism", "parallelism", fmt.Sprint(f.parallelism)},
		{"template.template.maxRetries", "max-retries", fmt.Sprint(f.maxRetries)},
		{"template.template.timeout", "task-timeout", f.taskTimeout},
		{"template.template.serviceAccount", "service-account", f.serviceAccount},
		{container + "image", "image", f.image},
		{container + `resources.limits["cpu"]`, "cpu", f.cpu},
		{container + `resources.limits["memory"]`, "memory", f.memory},
		{container + "env", f.env.Given(), ""},
		{container + "env", "env-vars-file", f.envFile},
		{container + "command", "command", ""},
		{container + "args", "args", ""},
		{"labels", f.labels.Given(), ""},
		{"template.labels", f.labels.Given(), ""},
	} {
		if field.flag != "" && strings.HasPrefix(path, field.path) && f.set.Changed(field.flag) {
			return strings.TrimSpace("--" + field.flag + " " + field.value)
		}
	}
	return path
}
