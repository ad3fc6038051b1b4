package change

import (
	"regexp"
	"strconv"
	"strings"
)

// FlagOf is how a field of a service is named on the command line, with the
// value that was given; it is path where no flag that was given stands for the
// field. It knows containers once Apply was called.
func (f *Flags) FlagOf(path string) string {
	path = strings.TrimPrefix(path, "service.")
	if found := regexp.MustCompile(`^template\.containers\[(\d+)\]\.?(.*)$`).FindStringSubmatch(path); found != nil {
		i, err := strconv.Atoi(found[1])
		if g := f.applied[i]; err == nil && g != nil {
			if flag := g.flagOf(found[2]); flag != "" {
				return flag
			}
		}
		return path
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
		{"template.volumes", "add-volume", ""},
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

// flagOf is the flag of a container's field, "" if none was given.
func (g *group) flagOf(path string) string {
	for _, field := range []struct{ path, flag, value string }{
		{"image", "image", g.image},
		{"ports", "port", g.port},
		{"ports", "use-http2", ""},
		{`resources.limits["cpu"]`, "cpu", g.cpu},
		{`resources.limits["memory"]`, "memory", g.memory},
		{"env", g.env.Given(), ""},
		{"env", "env-vars-file", g.envFile},
		{"command", "command", ""},
		{"args", "args", ""},
		{"workingDir", "workdir", g.workdir},
		{"dependsOn", "depends-on", strings.Join(g.dependsOn, ",")},
		{"startupProbe", "startup-probe", g.startup},
		{"livenessProbe", "liveness-probe", g.liveness},
		{"readinessProbe", "readiness-probe", g.readiness},
		{"volumeMounts", "add-volume-mount", ""},
	} {
		if field.flag != "" && strings.HasPrefix(path, field.path) && g.set.Changed(field.flag) {
			return g.where() + strings.TrimSpace("--"+field.flag+" "+field.value)
		}
	}
	if path == "name" && g.name != "" {
		return "--container " + g.name
	}
	return ""
}
