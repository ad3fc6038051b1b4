package change

import "strings"

// FlagOf is how a field of a service is named on the command line, with the
// value that was given; it is path where no flag that was given stands for the
// field. It knows containers once Apply was called.
func (f *Flags) FlagOf(path string) string {
	path = strings.TrimPrefix(path, "service.")
	if below, ok := strings.CutPrefix(path, "template."); ok {
		if flag := f.containers.FlagOf(below); flag != "" {
			return flag
		}
	}
	for _, field := range []struct{ path, flag, value string }{
		{"template.maxInstanceRequestConcurrency", "concurrency", f.concurrency},
		{"template.timeout", "timeout", f.timeout},
		{"template.scaling.minInstanceCount", "min-instances", f.scaling.minInstances},
		{"template.scaling.maxInstanceCount", "max-instances", f.scaling.maxInstances},
		{"template.scaling", "min-instances", f.scaling.minInstances},
		{"template.scaling", "max-instances", f.scaling.maxInstances},
		{"scaling.minInstanceCount", "min", f.scaling.min},
		{"scaling.maxInstanceCount", "max", f.scaling.max},
		{"scaling", "scaling", f.scaling.mode},
		{"template.revision", "revision-suffix", f.suffix},
		{"template.revision", "tag", f.tag},
		{"template.serviceAccount", "service-account", f.serviceAccount},
		{"template.sessionAffinity", "session-affinity", ""},
		{"traffic", "tag", f.tag},
		{"traffic", "no-traffic", ""},
		{"ingress", "ingress", f.ingress},
		{"labels", f.labels.Given(), ""},
		{"template.labels", f.labels.Given(), ""},
		{"description", "description", ""},
		{"customAudiences", "set-custom-audiences", ""},
		{"customAudiences", "add-custom-audiences", ""},
	} {
		if field.flag != "" && strings.HasPrefix(path, field.path) && f.set.Changed(field.flag) {
			return strings.TrimSpace("--" + field.flag + " " + field.value)
		}
	}
	if path == "template.maxInstanceRequestConcurrency" {
		return "--concurrency" // what no flag has set, and another does not go with
	}
	return path
}
